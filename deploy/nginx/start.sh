#!/bin/sh
# Writes the part of the configuration that depends on the environment and on the image, and starts nginx.
#   EDGE_TLS=on            serve HTTPS on 8443 with the certificate in /run/secrets
#   EDGE_HTTPS_PORT=8443   the port that browsers use for it
#   EDGE_HSTS=0            seconds for which browsers shall insist on HTTPS (a real host name only, never localhost)
#   EDGE_OPERATIONS=on     pass /metrics and /pool-stats to everyone
#   TRACE_SAMPLE_RATIO=1   share of traces to record, 0 to 1, in steps of 0.0001
#   TRACE_SAMPLE_KEY       secret by which traces are chosen, the same for several edges; or a file: TRACE_SAMPLE_KEY_FILE
#                          (neither: a random one until the next start)
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

# The key goes into the configuration as a digest: whatever characters it has, and of no use elsewhere.
key=${TRACE_SAMPLE_KEY:-}
[ -n "$key" ] || [ -z "${TRACE_SAMPLE_KEY_FILE:-}" ] || key=$(cat "$TRACE_SAMPLE_KEY_FILE")
[ -n "$key" ] || key=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
salt=$(printf %s "$key" | sha256sum | cut -c 1-32)
percent=$(awk -v r="${TRACE_SAMPLE_RATIO:-1}" 'BEGIN {
  if (r !~ /^[0-9]*[.]?[0-9]+$/ || r + 0 > 1) exit 1
  printf "%.2f", r * 100
}') || { echo "edge: TRACE_SAMPLE_RATIO must be a number from 0 to 1, not ${TRACE_SAMPLE_RATIO:-}" >&2; exit 1; }
case $percent in
  0.00) share='' ;; # nginx knows no share of nothing
  *) share="$percent% 1;" ;;
esac
# A hash and no seal: it keeps ids from being chosen by chance or by a flag. See docs/deployment.md.
( umask 077 && echo "split_clients $salt\$trace \$drawn { $share * 0; }" > $to/sampling.conf )

plain() {
  : > $to/modules.conf
  cp $from/trace-plain.conf $to/tracing.conf
}
module=/usr/lib/nginx/modules/ngx_otel_module.so
traces='passed on without a span of the edge (this image has no OpenTelemetry module)'
plain
if [ -f $module ]; then
  echo "load_module $module;" > $to/modules.conf
  cp $from/trace-otel.conf $to/tracing.conf
  if nginx -t -q -c $from/nginx.conf; then
    traces='with spans of the edge'
  else
    plain
    traces='passed on without a span of the edge (the OpenTelemetry module does not start)'
  fi
fi

cksum /run/secrets/*.crt /run/secrets/*.key > $to/certificates 2>/dev/null || true # what stack.sh compares with

echo "edge: traces: $percent % recorded, $traces"
[ -z "${EDGE_URL:-}" ] || echo "Tallyboard is at $EDGE_URL (API docs at $EDGE_URL/api/docs)"
exec nginx -c $from/nginx.conf -g 'daemon off;'
