package fiberx

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

func TestIfMatch(t *testing.T) {
	t.Parallel()
	app, _ := newApp(Config{})
	app.Get("/", func(c *fiber.Ctx) error {
		version, present, err := IfMatch(c)
		if err != nil {
			return err
		}
		SetETag(c, version)
		return c.SendString(fmt.Sprint(version, present))
	})
	for header, want := range map[string]string{
		"": "0 false", "*": "0 true", `"42"`: "42 true", ` "7" `: "7 true",
		`42`: "400", `W/"42"`: "400", `"42`: "400", `"x"`: "400", `"1", "2"`: "400", `"-1"`: "400", `"0"`: "400", `"+1"`: "400", `""`: "400",
		`"99999999999999999999"`: "400",
	} {
		a := send(t, app, http.MethodGet, "/", "", "If-Match", header)
		got := a.body
		if a.StatusCode != http.StatusOK {
			got = fmt.Sprint(a.StatusCode)
		}
		if got != want {
			t.Errorf("%q: %s", header, got)
		}
		if a.StatusCode == http.StatusBadRequest && a.problem.Errors[0].Name != "If-Match" {
			t.Errorf("%q: %s", header, a.body)
		}
		if header == `"42"` && a.Header.Get("ETag") != `"42"` {
			t.Errorf("ETag %q", a.Header.Get("ETag"))
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	app, _ := newApp(Config{})
	app.Get("/", func(c *fiber.Ctx) error {
		key, err := IdempotencyKey(c)
		if err != nil {
			return err
		}
		return c.SendString("key:" + key)
	})
	if a := send(t, app, http.MethodGet, "/", ""); a.body != "key:" {
		t.Errorf("absent: %s", a.body)
	}
	for key, ok := range map[string]bool{
		"a": true, "0192d3a8-7c1f~!": true, strings.Repeat("k", 255): true, strings.Repeat("k", 256): false, "a b": false, "é": false,
	} {
		a := send(t, app, http.MethodGet, "/", "", "Idempotency-Key", key)
		if (a.StatusCode == http.StatusOK) != ok || ok && a.body != "key:"+key {
			t.Errorf("%q: %d %s", key, a.StatusCode, a.body)
		}
	}
}

func TestClientIPBelievesTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		trusted   []string
		forwarded string
		want      string
	}{
		{nil, "203.0.113.9", "0.0.0.0"},
		{[]string{"0.0.0.0"}, "", "0.0.0.0"},
		{[]string{"0.0.0.0"}, "203.0.113.9", "203.0.113.9"},
		{[]string{"0.0.0.0"}, "198.51.100.1, 203.0.113.9", "203.0.113.9"},
		{[]string{"0.0.0.0", "10.0.0.0/8"}, "198.51.100.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"},
		{[]string{"0.0.0.0", "10.0.0.0/8"}, "10.9.9.9, 10.1.2.3", "10.9.9.9"},
		{[]string{"0.0.0.0"}, "203.0.113.9:4711", "203.0.113.9"},
		{[]string{"0.0.0.0"}, "2001:db8::1", "2001:db8::1"},
		{[]string{"0.0.0.0"}, "::ffff:203.0.113.9", "203.0.113.9"},
		{[]string{"0.0.0.0"}, "203.0.113.9, nonsense", "0.0.0.0"},
	} {
		app, _ := newApp(Config{TrustedProxies: c.trusted})
		app.Get("/", func(c *fiber.Ctx) error { return c.SendString(ClientIP(c)) })
		if got := send(t, app, http.MethodGet, "/", "", "X-Forwarded-For", c.forwarded).body; got != c.want {
			t.Errorf("trusting %v, %q: %s, want %s", c.trusted, c.forwarded, got, c.want)
		}
	}
}
