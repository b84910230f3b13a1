-- Sends the posts of a file, one after another: each is a line "<visitor> <bytes>" and that many bytes of body.
-- Arguments: the file, the content type, and a file with what all bodies end with. No file: GET of the given path.

local sent = {}
local at = 0

function init(args)
  if #args == 0 then return end
  local file = assert(io.open(args[1], "rb"))
  local rest = ""
  if args[3] then
    local shared = assert(io.open(args[3], "rb"))
    rest = shared:read("*a")
    shared:close()
  end
  while true do
    local line = file:read("*l")
    if not line then break end
    local visitor, bytes = line:match("^(%S+) (%d+)$")
    sent[#sent + 1] = {visitor, file:read(tonumber(bytes))}
  end
  file:close()
  wrk.rest = rest
  wrk.headers["content-type"] = args[2]
end

function request()
  if #sent == 0 then return wrk.format("GET") end
  at = at % #sent + 1
  wrk.headers["x-forwarded-for"] = sent[at][1]
  return wrk.format("POST", "/contact", nil, sent[at][2] .. wrk.rest)
end

function done(summary, latency, requests)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("FIGURES %d %d %d %d %d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), broken + errors.status))
end
