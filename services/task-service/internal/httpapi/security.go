package httpapi

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// Content security policies: answers of the API may do nothing; pages may load what this server serves. Neither allows
// inline scripts or styles.
const (
	policyData = "default-src 'none'; frame-ancestors 'none'"
	policyPage = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

// securityHeaders sets what every answer carries; pages replace the policy by their own.
func securityHeaders(c *fiber.Ctx) error {
	h := &c.Response().Header
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderReferrerPolicy, "same-origin")
	h.Set(fiber.HeaderContentSecurityPolicy, policyData)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if strings.HasPrefix(c.Path(), "/api/") {
		h.Set(fiber.HeaderCacheControl, "private, no-cache")
	}
	return c.Next()
}

// allowHost refuses requests under a name that is not ours, if the configuration names ours.
func (s *server) allowHost(c *fiber.Ctx) error {
	if len(s.Config.AllowedHosts) == 0 {
		return c.Next()
	}
	name := strings.ToLower(hostName(string(c.Request().Host())))
	if slices.Contains(s.Config.AllowedHosts, name) {
		return c.Next()
	}
	return apperr.New(apperr.Forbidden, "This server does not answer under the name %q.", name)
}

func hostName(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return strings.Trim(hostPort, "[]")
}

// sameOrigin refuses changes that another site makes a browser send (cross-site request forgery). Browsers say where a
// request comes from by Sec-Fetch-Site, older ones by Origin; clients that send neither are no browsers, and carry no
// cookie that could be abused.
func (s *server) sameOrigin(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return c.Next()
	}
	origin := c.Get(fiber.HeaderOrigin)
	site := c.Get("Sec-Fetch-Site")
	switch {
	case site == "same-origin" || site == "none":
		return c.Next()
	case site == "" && origin == "":
		return c.Next()
	case origin != "" && slices.Contains(s.Config.AllowedOrigins, origin):
		return c.Next()
	case site == "" && sameHost(origin, string(c.Request().Host())):
		return c.Next()
	}
	return apperr.New(apperr.Forbidden, "Changes must come from this site's own pages (cross-origin request refused).")
}

// sameHost compares an origin with the Host header. The scheme is not compared: behind a proxy that ends TLS it is not
// known here.
func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
