-- wrk script: GET of one URL. With VARY=1 every request asks something else, so that no answer can come from a cache: `to` is a
-- moving time after the newest row, which changes the key and not the rows.
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init()
  vary = os.getenv("VARY") == "1"
  next_to = 1900000000000 + id * 1000000000
end

function request()
  if not vary then
    return wrk.format("GET")
  end
  next_to = next_to + 1
  return wrk.format("GET", wrk.path .. "&to=" .. string.format("%.0f", next_to))
end

function done(summary, latency)
  io.write(string.format("RESULT %.0f %.2f %.2f %.2f %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
