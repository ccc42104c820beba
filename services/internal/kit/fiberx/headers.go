package fiberx

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// HeaderIdempotencyKey names the request header by which a repeated write is recognised.
const HeaderIdempotencyKey = "Idempotency-Key"

// maxIdempotencyKeyLength is the length of an idempotency key at most, in bytes.
const maxIdempotencyKeyLength = 255

// SetETag sets the strong entity tag of a version, such as "42" in quotes.
func SetETag(c *fiber.Ctx, version int64) {
	c.Set(fiber.HeaderETag, `"`+strconv.FormatInt(version, 10)+`"`)
}

// IfMatch returns the version that the request's If-Match demands. present is false without the header; "*" (any
// version) is present with version 0. Weak tags never match strongly (RFC 9110 §13.1.1) and, like lists and tags that
// are not ours, are an Invalid error.
func IfMatch(c *fiber.Ctx) (version int64, present bool, err error) {
	header := strings.TrimSpace(c.Get(fiber.HeaderIfMatch))
	switch header {
	case "":
		return 0, false, nil
	case "*":
		return 0, true, nil
	}
	tag, quoted := strings.CutPrefix(header, `"`)
	tag, closed := strings.CutSuffix(tag, `"`)
	version, parseErr := strconv.ParseInt(tag, 10, 64)
	if !quoted || !closed || parseErr != nil || version < 1 || tag[0] == '+' {
		return 0, false, apperr.InvalidField(fiber.HeaderIfMatch, `must be one entity tag of this resource, such as "42" in quotes, or *`)
	}
	return version, true, nil
}

// IdempotencyKey returns the request's key, or "" without one. A key is 1 to 255 visible ASCII characters.
func IdempotencyKey(c *fiber.Ctx) (string, error) {
	key := c.Get(HeaderIdempotencyKey)
	if key == "" {
		if c.Request().Header.Peek(HeaderIdempotencyKey) != nil {
			return "", apperr.InvalidField(HeaderIdempotencyKey, "must not be empty")
		}
		return "", nil
	}
	if len(key) > maxIdempotencyKeyLength {
		return "", apperr.InvalidField(HeaderIdempotencyKey, "must be at most %d characters", maxIdempotencyKeyLength)
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return "", apperr.InvalidField(HeaderIdempotencyKey, "must be visible ASCII characters without spaces").At(i)
		}
	}
	return key, nil
}

// ClientIP returns the address of the caller: the connection's, or, if that is a trusted proxy, the last address in
// X-Forwarded-For that is not one. Earlier addresses in that header are the caller's own claim.
func ClientIP(c *fiber.Ctx) string {
	peer := c.Context().RemoteIP().String()
	if !c.IsProxyTrusted() {
		return peer
	}
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	trusted := trustedNetworks(c.App().Config().TrustedProxies)
	for _, hop := range slices.Backward(hops) {
		hop := strings.TrimSpace(hop)
		if host, _, err := net.SplitHostPort(hop); err == nil {
			hop = host
		}
		addr, err := netip.ParseAddr(hop)
		if err != nil {
			return peer
		}
		addr = addr.Unmap()
		peer = addr.String()
		if !trusted(addr) {
			return peer
		}
	}
	return peer
}

func trustedNetworks(list []string) func(netip.Addr) bool {
	return func(addr netip.Addr) bool {
		for _, entry := range list {
			if prefix, err := netip.ParsePrefix(entry); err == nil && prefix.Contains(addr) {
				return true
			}
			if one, err := netip.ParseAddr(entry); err == nil && one == addr {
				return true
			}
		}
		return false
	}
}
