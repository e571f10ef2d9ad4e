-- wrk script: strangers who try wrong tokens on POST /ingest, each another one.
local n = 0

function init()
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  n = n + 1
  wrk.headers["X-Gateway-Token"] = "wrong-token-of-a-stranger-" .. n
  return wrk.format(nil, nil, nil, "{}")
end
