-- At the end one line of JSON, which is easier to read than wrk's table.
function done(summary, latency, _)
   local e = summary.errors
   io.write(string.format(
      'tidegate-json {"requests": %d, "duration_us": %d, "connect": %d, "read": %d, "write": %d, ' ..
      '"status": %d, "timeout": %d, "mean_us": %.3f, "p50_us": %.3f, "p95_us": %.3f, "p99_us": %.3f, ' ..
      '"max_us": %.3f}\n',
      summary.requests, summary.duration, e.connect, e.read, e.write, e.status, e.timeout,
      latency.mean, latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.max))
end
