//go:build !linux

package bench

import (
	"errors"
	"time"
)

var errLinuxOnly = errors.New("processor time and memory of other processes are read on Linux only")

func cpuTime(int) (time.Duration, error) { return 0, errLinuxOnly }

func peakRSS(int) (int64, error) { return 0, errLinuxOnly }
