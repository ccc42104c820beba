package httpapi

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// securityHeaders sets what every answer carries; the documentation page replaces the policy by its own.
func securityHeaders(c *fiber.Ctx) error {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	return c.Next()
}

// allowHost refuses requests under a name that is not ours, if the configuration names ours.
func (s *server) allowHost(c *fiber.Ctx) error {
	if len(s.Config.AllowedHosts) == 0 {
		return c.Next()
	}
	name := string(c.Request().Host())
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	if name = strings.ToLower(strings.Trim(name, "[]")); slices.Contains(s.Config.AllowedHosts, name) {
		return c.Next()
	}
	return apperr.New(apperr.Forbidden, "This server does not answer under the name %q.", name)
}

// sameOrigin refuses changes that another site makes a browser send. Clients that name neither Sec-Fetch-Site nor Origin
// are no browsers, and carry no cookie that could be abused.
func (s *server) sameOrigin(c *fiber.Ctx) error {
	origin, site := c.Get(fiber.HeaderOrigin), c.Get("Sec-Fetch-Site")
	switch {
	case c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead || c.Method() == fiber.MethodOptions,
		site == "same-origin" || site == "none",
		site == "" && origin == "",
		origin != "" && slices.Contains(s.Config.AllowedOrigins, origin):
		return c.Next()
	}
	if u, err := url.Parse(origin); site == "" && err == nil && u.Host != "" && strings.EqualFold(u.Host, string(c.Request().Host())) {
		return c.Next()
	}
	return apperr.New(apperr.Forbidden, "Changes must come from this site's own pages (cross-origin request refused).")
}
