package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tallyboard/tallyboard/services/drill/internal/disk"
	"github.com/tallyboard/tallyboard/services/drill/internal/proc"
)

// The folders of servers, and the one in each that is its disk.
const (
	databaseFolder = "database"
	diskFolder     = "disk"
)

// openDisks makes the folders of the database and of the NATS servers, and gives each a disk of its own if it can.
func (c *Cluster) openDisks(ctx context.Context, databaseUser *proc.User) error {
	disks := []disk.Disk{{Path: c.diskOf(databaseFolder), User: databaseUser}}
	for i := range c.cfg.NATS {
		disks = append(disks, disk.Disk{Path: c.diskOf(natsName(i))})
	}
	for _, d := range disks {
		for _, folder := range []string{filepath.Dir(d.Path), d.Path} {
			if err := makeFolder(folder, d.User); err != nil {
				return fmt.Errorf("make the folder of a server: %w", err)
			}
		}
	}
	if c.cfg.Disks {
		c.room, c.NoDisks = disk.Open(ctx, c.cfg.Self, disks)
	}
	return nil
}

func (c *Cluster) diskOf(server string) string { return filepath.Join(c.cfg.Dir, server, diskFolder) }

// Disks names the servers that have a disk of their own.
func (c *Cluster) Disks() (names []string) {
	if c.room == nil {
		return nil
	}
	names = append(names, c.DB.Name())
	for _, n := range c.NATS {
		names = append(names, n.Name())
	}
	return names
}

// FillDisk leaves no room on a server's disk.
func (c *Cluster) FillDisk(ctx context.Context, server string) error {
	return c.room.Fill(ctx, c.diskOf(server))
}

// FreeDisk gives it its room back.
func (c *Cluster) FreeDisk(ctx context.Context, server string) error {
	return c.room.Free(ctx, c.diskOf(server))
}

// enter makes a program run where the disks are.
func (c *Cluster) enter(s proc.Spec) proc.Spec {
	if c.room != nil {
		s.Path, s.Args = c.room.Enter(s.User, s.Path, s.Args...)
		s.User = nil // whom the program is run as is told on the way
	}
	return s
}

// outside returns by what path we find what a server finds at path.
func (c *Cluster) outside(path string) string {
	if c.room == nil {
		return path
	}
	return c.room.Outside(path)
}

func makeFolder(path string, owner *proc.User) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return own(path, owner)
}
