// Processes, and the telemetry that tells of all this.
import { board, INSTANCE, SERVICE } from './board.js';
import { lines, value } from './panels.js';

const at = 'job=~"$job",instance=~"$instance"';
const replica = '{{job}} {{instance}}';

export const runtime = board('runtime', 'Runtime', 'The Go runtime of each replica, and the collector.', [SERVICE(), INSTANCE()], [
  { title: 'Processes', panels: [
    lines({ title: 'Memory', unit: 'bytes', shows: 'Memory of the Go runtime.', good: 'level over hours, below the limit (GOMEMLIMIT).', queries: [[`sum by (job, instance) (go_memory_used_bytes{${at}})`, replica], [`max(go_memory_limit_bytes{${at}})`, 'limit']] }),
    lines({ title: 'Allocation', unit: 'Bps', shows: 'Bytes allocated per second.', good: 'follows the requests.', queries: [[`sum by (job, instance) (rate(go_memory_allocated_bytes_total{${at}}[$__rate_interval]))`, replica]] }),
    lines({ title: 'Goroutines', unit: 'none', shows: 'Goroutines per replica.', good: 'follows open streams and requests; a steady climb is a leak.', queries: [[`sum by (job, instance) (go_goroutine_count{${at}})`, replica]] }),
    lines({ title: 'Heap before the next collection', unit: 'bytes', shows: 'Size of the heap at which the next garbage collection starts.', good: 'level; close to the limit the collector works all the time.', queries: [[`sum by (job, instance) (go_memory_gc_goal_bytes{${at}})`, replica]] }),
  ] },
  { title: 'Spans of the services', panels: [
    lines({ title: 'Spans', unit: 'cps', shows: 'What became of recorded spans, per second.', good: 'exported only.', alerts: ['SpansDropped'], queries: [[`sum by (job, outcome) (rate(tallyboard_telemetry_spans_total{${at}}[$__rate_interval]))`, '{{job}} {{outcome}}']] }),
    lines({ title: 'Spans by service', unit: 'cps', shows: 'Spans that reached the collector, per second and service.', good: 'follows the requests and the share that is traced.', queries: [['sum by (service_name) (rate(traces_span_metrics_calls_total[$__rate_interval]))', '{{service_name}}']] }),
  ] },
  { title: 'Collector', panels: [
    value({ title: 'Answers', unit: 'none', width: 6, height: 8, shows: '1 while the collector can be asked.', good: '1.', alerts: ['CollectorDown'], queries: [['min(up{job=~"collector|otel-collector"})', 'up']] }),
    lines({ title: 'Memory of the collector', unit: 'bytes', width: 6, shows: 'Memory in use.', good: 'below MEMORY_LIMIT_MIB; there it refuses.', alerts: ['CollectorRefuses'], queries: [['max(otelcol_process_memory_rss)', 'resident'], ['max(otelcol_process_runtime_heap_alloc_bytes)', 'heap']] }),
    lines({ title: 'Received', unit: 'cps', shows: 'Spans accepted and refused per second, by receiver.', good: 'nothing refused.', alerts: ['CollectorRefuses'],
      queries: [['sum by (receiver) (rate(otelcol_receiver_accepted_spans[$__rate_interval]))', 'accepted by {{receiver}}'], ['sum by (receiver) (rate(otelcol_receiver_refused_spans[$__rate_interval]))', 'refused by {{receiver}}']] }),
    lines({ title: 'Queues', unit: 'percentunit', limit: 0.8, shows: 'How full the queues to what follows are.', good: 'near zero.', alerts: ['CollectorQueueFills'], queries: [['otelcol_exporter_queue_size / otelcol_exporter_queue_capacity', '{{exporter}}']] }),
    lines({ title: 'Traces decided on', unit: 'cps', shows: 'Traces kept and dropped by tail sampling, and forgotten before a decision, per second.', good: 'none forgotten; kept as TAIL_SAMPLE_PERCENT says.', alerts: ['TracesDecidedTooEarly'],
      queries: [['sum by (decision) (rate(otelcol_processor_tail_sampling_global_count_traces_sampled[$__rate_interval]))', '{{decision}}'], ['sum(rate(otelcol_processor_tail_sampling_sampling_trace_dropped_too_early[$__rate_interval]))', 'forgotten']] }),
    lines({ title: 'Why traces are kept', unit: 'cps', shows: 'Traces that a policy of tail sampling wanted to keep, per second; several may want the same.', good: 'errors and slow requests rare.',
      queries: [['sum by (policy) (rate(otelcol_processor_tail_sampling_count_traces_sampled{sampled="true"}[$__rate_interval]))', '{{policy}}']] }),
    lines({ title: 'Traces in memory', unit: 'none', shows: 'Traces that wait for their decision.', good: 'far below TAIL_NUM_TRACES.', alerts: ['TracesDecidedTooEarly'], queries: [['max(otelcol_processor_tail_sampling_sampling_traces_on_memory)', 'traces']] }),
    lines({ title: 'Series in Prometheus', unit: 'short', shows: 'Series of the last hours.', good: 'level; a climb is a label that takes too many values.', alerts: ['RuleFails'], queries: [['max(prometheus_tsdb_head_series)', 'series']] }),
  ] },
]);
