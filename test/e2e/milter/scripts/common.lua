-- What the scripts have in common. `socket` is given with -D, as miltertest takes it: inet:PORT@127.0.0.1.

-- miltertest ends with 1 after an error, and does not say which.
local function fail(reason)
    mt.echo(reason)
    error(reason)
end

function must(result, what)
    if result ~= nil then fail(what .. " failed: " .. tostring(result)) end
end

function expect(condition, what)
    if not condition then fail("not so: " .. what) end
end

-- Connects as a mail server that offers everything, and says what comes before MAIL.
function open()
    local conn = mt.connect(socket, 40, 0.05)
    expect(conn ~= nil, "the filter accepts a connection")
    must(mt.negotiate(conn, nil, nil, nil), "negotiate")
    must(mt.conninfo(conn, "client.example.net", "192.0.2.7"), "conninfo")
    must(mt.helo(conn, "client.example.net"), "helo")
    return conn
end

-- Envelope and header; `fields` is a list of pairs. Values begin with the blank behind the colon.
function begin(conn, id, fields)
    mt.macro(conn, SMFIC_MAIL, "i", id)
    must(mt.mailfrom(conn, "<alice@example.com>"), "mailfrom")
    must(mt.rcptto(conn, "<bob@example.org>"), "rcptto")
    for _, field in ipairs(fields) do must(mt.header(conn, field[1], field[2]), field[1]) end
    must(mt.eoh(conn), "eoh")
end

letter = {
    { "From", " alice@example.com" },
    { "To", " bob@example.org" },
    { "Message-ID", " <miltertest@example.com>" },
    { "Date", " Mon, 6 Jan 2025 10:00:00 +0000" },
    { "Subject", "   three blanks\n\tand a fold" },
    { "MIME-Version", " 1.0" },
}

function with(fields, more)
    local all = {}
    for _, field in ipairs(fields) do table.insert(all, field) end
    for _, field in ipairs(more) do table.insert(all, field) end
    return all
end
