-- A copy that comes back with our stamp is refused at the end of the message, and not before.
dofile(scripts .. "/common.lua")
local conn = open()
begin(conn, "FIRST", letter)
must(mt.bodystring(conn, "hello\r\n"), "body")
must(mt.eom(conn), "eom")
local stamp = mt.getheader(conn, "X-Detach-Guard", 0)
expect(stamp ~= nil, "there is a stamp")
mt.disconnect(conn)
conn = open()
begin(conn, "SECOND", with({ { "X-Detach-Guard", stamp } }, letter))
must(mt.bodystring(conn, "hello\r\n"), "body")
must(mt.eom(conn), "eom")
expect(mt.getreply(conn) == SMFIR_REPLYCODE, "it is refused")
expect(
    mt.eom_check(conn, MT_SMTPREPLY, "554", "5.4.6", "mail forwarding loop for <bob@example.org>"),
    "as a loop"
)
mt.disconnect(conn)
