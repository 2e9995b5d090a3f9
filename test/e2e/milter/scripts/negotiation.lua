-- Asks for changes of header and body, and for nothing else.
dofile(scripts .. "/common.lua")
local conn = open()
for name, wanted in pairs({
    SMFIF_ADDHDRS = true,
    SMFIF_CHGHDRS = true,
    SMFIF_CHGBODY = true,
    SMFIF_ADDRCPT = false,
    SMFIF_DELRCPT = false,
    SMFIF_QUARANTINE = false,
}) do
    expect(mt.test_action(conn, _G[name]) == wanted, name .. " is " .. tostring(wanted))
end
mt.disconnect(conn)
