package fiberx

import (
	"errors"
	"fmt"
	"net"

	"github.com/gofiber/fiber/v2"
)

// Serve answers requests on the listener until the server is shut down.
func Serve(server *fiber.App, listener net.Listener) error {
	if err := server.Listener(listener); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
