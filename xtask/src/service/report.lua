-- One line with what wrk does not print by itself; microseconds.
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("report %d %d %d %d %d %d\n",
    summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    e.connect + e.read + e.write + e.status + e.timeout))
end
