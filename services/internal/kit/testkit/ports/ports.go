// Package ports hands out TCP ports of 127.0.0.1 for servers that keep theirs while they are stopped and started again, in
// tests and in the drill. A port from the kernel (":0") would not do: it lies among those of outgoing connections, any of
// which may take it while its server is down.
package ports

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports lie below the range that the kernels of Linux, macOS and Windows give to outgoing connections.
const (
	from = 21000
	to   = 29999
)

// attempts is how many ports are tried before it is said that there is none.
const attempts = 1000

// held marks what was handed out, for as long as this process lives: the UDP port of the same number is bound, which no
// server here uses, and which other processes that ask this package find taken. The kernel gives it up with the process,
// however that ends.
var held struct {
	mu    sync.Mutex
	marks []net.PacketConn
}

// Free returns a TCP port of 127.0.0.1 on which nobody listens. It is handed out once, to this process and to any other
// that asks this package, until this one ends.
func Free() (int, error) {
	for range attempts {
		port := from + rand.IntN(to-from+1) //nolint:gosec // any will do
		if take(port) {
			return port, nil
		}
	}
	return 0, errors.New("no free port")
}

// FreeAddr is Free as host:port.
func FreeAddr() (string, error) {
	port, err := Free()
	if err != nil {
		return "", err
	}
	return addr(port), nil
}

func addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// take marks a port as handed out, unless it is or somebody listens on it.
func take(port int) bool {
	mark, err := net.ListenPacket("udp", addr(port)) //nolint:noctx // returns at once
	if err != nil {
		return false
	}
	l, err := net.Listen("tcp", addr(port)) //nolint:noctx // returns at once
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		_ = mark.Close() // the port is another's
		return false
	}
	held.mu.Lock()
	defer held.mu.Unlock()
	held.marks = append(held.marks, mark)
	return true
}
