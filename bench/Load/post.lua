-- wrk posts one KVP at a time, in turn to each line of the targets' file: a key and, where it has one, a PID. The number to begin with is another for each run:
-- a rule that sets what is there already makes no event.
local threads = 0

function setup(thread)
  thread:set("first", threads * 1000003)
  threads = threads + 1
end

function init(args)
  heads = {}
  for line in io.lines(args[1]) do
    local key, pid = line:match("^(%S+) ?(%d*)$")
    heads[#heads + 1] = "POST /in" .. (pid == "" and "" or "?pid=" .. pid) .. " HTTP/1.1\r\n"
      .. "Host: localhost\r\nAuthorization: Bearer " .. key .. "\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n"
      .. '{"temperature":'
  end
  n = first + tonumber(args[2])
end

function request()
  n = n + 1
  return heads[n % #heads + 1] .. (1000000 + n % 9000000) .. "}"
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("measured %d %d %d %d %d %d\n",
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
