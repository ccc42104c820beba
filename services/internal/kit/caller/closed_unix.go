//go:build unix

package caller

import (
	"errors"
	"net"
	"syscall"
)

// closed reports whether the peer has closed a connection, without taking what it has sent.
func closed(conn net.Conn) bool {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	gone := false
	// Control and not Read: deadlines of reading have nothing to do with it. Sockets of Go never block.
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		switch {
		case err == nil:
			gone = n == 0
		case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, syscall.EINTR):
		default:
			gone = true
		}
	})
	return gone || errors.Is(err, net.ErrClosed)
}
