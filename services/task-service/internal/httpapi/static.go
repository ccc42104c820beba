package httpapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Cache-Control of files: hashed names never change their content, all else is asked for again.
const (
	cacheImmutable  = "public, max-age=31536000, immutable"
	cacheRevalidate = "no-cache"
)

// staticFile is a file as it is served. Bodies are shared by all requests and must not be changed.
type staticFile struct {
	contentType string
	etag        string
	cache       string
	policy      string // content security policy; empty: that of data
	body        []byte
	brotli      []byte // nil: not available in this encoding
	gzip        []byte
}

func newStaticFile(contentType string, body []byte) staticFile {
	sum := sha256.Sum256(body)
	return staticFile{
		contentType: contentType, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`,
		cache: cacheRevalidate, body: body,
	}
}

// compress packs a text that no build has packed before.
func compress(text []byte) ([]byte, error) {
	var out bytes.Buffer
	packer := gzip.NewWriter(&out)
	_, err := packer.Write(text)
	if err = errors.Join(err, packer.Close()); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return out.Bytes(), nil
}

// send answers with the file in the best encoding the client takes.
func (f *staticFile) send(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, f.cache)
	if f.policy != "" {
		c.Set(fiber.HeaderContentSecurityPolicy, f.policy)
	}
	body, encoding := f.body, ""
	if f.brotli != nil || f.gzip != nil {
		c.Vary(fiber.HeaderAcceptEncoding)
		switch accept := c.Get(fiber.HeaderAcceptEncoding); {
		case f.brotli != nil && accepts(accept, "br"):
			body, encoding = f.brotli, "br"
		case f.gzip != nil && accepts(accept, "gzip"):
			body, encoding = f.gzip, "gzip"
		}
	}
	etag := f.etag
	if encoding != "" {
		etag = strings.TrimSuffix(etag, `"`) + "-" + encoding + `"` // another representation, another tag
		c.Set(fiber.HeaderContentEncoding, encoding)
	}
	c.Set(fiber.HeaderETag, etag)
	if header := c.Get(fiber.HeaderIfNoneMatch); header != "" && noneMatch(header, etag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	c.Set(fiber.HeaderContentType, f.contentType)
	return c.Send(body)
}

// accepts reports whether an Accept-Encoding header names the encoding with a weight above zero (RFC 9110 §12.5.3).
func accepts(header, encoding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, encoding) && name != "*" {
			continue
		}
		weight, given := strings.CutPrefix(strings.TrimSpace(params), "q=")
		if !given {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}
