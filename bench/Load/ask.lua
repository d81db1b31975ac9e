-- wrk: asks for one address of a tenant's host: HOST METHOD. What is posted is a small JSON.

function init(args)
  wrk.method = args[2]
  wrk.headers["Host"] = args[1]
  if wrk.method == "POST" then
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = '{"text": "a note"}'
  end
  asked = wrk.format()
end

function request()
  return asked
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("measured %d %d %d %d %d %d\n",
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
