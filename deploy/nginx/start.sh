#!/bin/sh
# Writes the part of the configuration that depends on the environment and on the image, and starts nginx.
#   EDGE_TLS=on            serve HTTPS on 8443 with the certificate in /run/secrets
#   EDGE_HTTPS_PORT=8443   the port that browsers use for it
#   EDGE_HSTS=0            seconds for which browsers shall insist on HTTPS (a real host name only, never localhost)
#   EDGE_OPERATIONS=on     pass /metrics and /pool-stats to everyone
#   TRACE_SAMPLE_RATIO=1   share of traces to record, where the image has the OpenTelemetry module
#   EDGE_URL               address to print at the start
set -eu
from=/etc/tallyboard
to=/tmp/nginx
mkdir -p $to

operations=''
[ "${EDGE_OPERATIONS:-on}" = on ] || operations='return 404;'
echo "$operations" > $to/operations.conf

hsts=''
[ "${EDGE_HSTS:-0}" = 0 ] || hsts="add_header Strict-Transport-Security \"max-age=$EDGE_HSTS\" always;"
case ${EDGE_TLS:-off} in
  on) sed -e "s,@HTTPS_PORT@,${EDGE_HTTPS_PORT:-8443}," -e "s,@HSTS@,$hsts," $from/servers-tls.conf > $to/servers.conf ;;
  *) cp $from/servers-http.conf $to/servers.conf ;;
esac

plain() {
  : > $to/modules.conf
  cp $from/trace-plain.conf $to/trace.conf
}
module=/usr/lib/nginx/modules/ngx_otel_module.so
traces='traceparent only: this image has no OpenTelemetry module'
plain
if [ -f $module ]; then
  echo "load_module $module;" > $to/modules.conf
  percent=$(awk -v r="${TRACE_SAMPLE_RATIO:-1}" 'BEGIN { printf "%.2f", r * 100 }')
  sed "s,@SAMPLE_PERCENT@,$percent," $from/trace-otel.conf > $to/trace.conf
  if nginx -t -q -c $from/nginx.conf; then
    traces="own spans, $percent % recorded"
  else
    plain
    traces='traceparent only: the OpenTelemetry module does not start'
  fi
fi

echo "edge: traces: $traces"
[ -z "${EDGE_URL:-}" ] || echo "Tallyboard is at $EDGE_URL (API docs at $EDGE_URL/api/docs)"
exec nginx -c $from/nginx.conf -g 'daemon off;'
