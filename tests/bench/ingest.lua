-- wrk script: POST /ingest with a message of its own in every request. Environment: TOKEN; FIRST_ID, so that runs do not repeat keys.
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init()
  token = os.getenv("TOKEN")
  next_id = tonumber(os.getenv("FIRST_ID") or "1") + id * 100000000
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["X-Gateway-Token"] = token
  head = '{"channelId":"-1001000000001","messageId":'
  tail = ',"text":"🟢 Swing Trade\\n\\nATIVO: PETR4\\nCOMPRA: 30,50 A 31,00\\nALVO 1: 32,00\\nALVO 2: 33,50\\nALVO FINAL: 35,00\\n\\n'
    .. 'STOP: 29,10\\n\\nA ordem fica no book até o fim do pregão. Gerencie o risco.","timestamp":"2026-11-03T13:00:00Z",'
    .. '"channelName":"Canal de Medição","photos":[]}'
end

function request()
  next_id = next_id + 1
  return wrk.format(nil, nil, nil, head .. string.format("%.0f", next_id) .. tail)
end

-- One line that the caller can read: requests per second, p50, p95, p99 in ms, answers that were not 2xx.
function done(summary, latency)
  io.write(string.format("RESULT %.0f %.2f %.2f %.2f %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
