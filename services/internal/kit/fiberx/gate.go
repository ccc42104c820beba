package fiberx

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// retryGate is what a caller is told who comes before the service can serve.
const retryGate = 2 * time.Second

// Gate answers 503 with Retry-After and message while open returns false, such as before the schema is current.
func Gate(open func() bool, message string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !open() {
			return apperr.New(apperr.Unavailable, "%s", message).WithRetryAfter(retryGate)
		}
		return c.Next()
	}
}
