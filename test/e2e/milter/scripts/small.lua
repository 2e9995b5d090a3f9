-- Nothing to detach: a stamp at the very top, and no other change. The connection is good for more: after ABORT in the
-- middle of a message, and for the next message.
dofile(scripts .. "/common.lua")
local conn = open()
begin(conn, "ABORTED", letter)
must(mt.bodystring(conn, "left in the middle\r\n"), "body")
must(mt.abort(conn), "abort")
for i = 1, 3 do
    begin(conn, "SMALL" .. i, letter)
    must(mt.bodystring(conn, "hello\r\n"), "body")
    must(mt.eom(conn), "eom")
    expect(mt.getreply(conn) == SMFIR_CONTINUE, "the message goes on")
    expect(mt.eom_check(conn, MT_HDRINSERT, "X-Detach-Guard"), "a stamp is inserted")
    expect(not mt.eom_check(conn, MT_HDRINSERT, "X-Detach-Message"), "nothing was detached")
    expect(not mt.eom_check(conn, MT_BODYCHANGE), "the body stays")
    expect(not mt.eom_check(conn, MT_HDRADD), "no field is added below")
    expect(not mt.eom_check(conn, MT_HDRCHANGE), "no field is changed")
    expect(not mt.eom_check(conn, MT_HDRDELETE), "no field is deleted")
end
mt.disconnect(conn)
