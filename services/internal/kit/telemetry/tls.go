package telemetry

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"

	"github.com/tallyboard/tallyboard/services/internal/kit/certs"
)

// The variables by which exporters speak TLS: authorities to trust, and a certificate of our own with its key.
const (
	authoritiesSetting = "CERTIFICATE"
	identitySetting    = "CLIENT_CERTIFICATE"
	keySetting         = "CLIENT_KEY"
)

// checkTLS reads the files that OTEL_EXPORTER_OTLP_CERTIFICATE and its kin name, for all signals or for one. The exporters
// pass over what they cannot read, and trust the system's authorities then.
func checkTLS() error {
	if disabled() {
		return nil
	}
	for _, signal := range []string{"", "TRACES_", "METRICS_", "LOGS_"} {
		variable := "OTEL_EXPORTER_OTLP_" + signal
		if file := os.Getenv(variable + authoritiesSetting); file != "" {
			if _, err := certs.Authorities(file); err != nil {
				return fmt.Errorf("%s%s: %w", variable, authoritiesSetting, err)
			}
		}
		certificate, key := os.Getenv(variable+identitySetting), os.Getenv(variable+keySetting)
		if certificate == "" && key == "" {
			continue
		}
		if _, err := tls.LoadX509KeyPair(certificate, key); err != nil {
			return fmt.Errorf("%s%s and %s: %w", variable, identitySetting, keySetting, err)
		}
	}
	return nil
}

// exportReason says in a sentence for operators what is wrong with TLS on the way to the collector, as far as that is why
// an export failed; otherwise it is empty. gRPC tells of it in words only.
func exportReason(err error) string {
	const setting = " (see OTEL_EXPORTER_OTLP_CERTIFICATE)"
	if problem, is := certs.Problem(err); is {
		return "the collector's certificate " + problem + setting
	}
	text := err.Error()
	if _, problem, is := strings.Cut(text, "x509: "); is {
		problem, _, _ = strings.Cut(problem, `"`)
		return "the collector's certificate is not accepted: " + problem + setting
	}
	switch {
	case strings.Contains(text, "server gave HTTP response to HTTPS client"), strings.Contains(text, "first record does not look like a TLS handshake"):
		return "the collector speaks no TLS: OTEL_EXPORTER_OTLP_ENDPOINT should begin with http://"
	case strings.Contains(text, "HTTP request to an HTTPS server"):
		return "the collector demands TLS: OTEL_EXPORTER_OTLP_ENDPOINT should begin with https://"
	case strings.Contains(text, "remote error: tls: "):
		return "the collector refuses the TLS connection (see OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE)"
	}
	return ""
}
