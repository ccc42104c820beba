// Command drill starts the whole product as real processes, breaks it in every way it can while clients work, and holds
// what is there in the end against what the clients were promised.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/tallyboard/tallyboard/services/drill/internal/bugs"
	"github.com/tallyboard/tallyboard/services/drill/internal/clock"
	"github.com/tallyboard/tallyboard/services/drill/internal/cluster"
	"github.com/tallyboard/tallyboard/services/drill/internal/disk"
	"github.com/tallyboard/tallyboard/services/drill/internal/drill"
	"github.com/tallyboard/tallyboard/services/drill/internal/edge"
	"github.com/tallyboard/tallyboard/services/drill/internal/soak"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "drill:", err)
		os.Exit(1)
	}
}

// run runs the drill, or one of the programs that it starts as processes of their own, or checks an earlier run again.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "nats":
			return runNATS(ctx, args[1:])
		case "edge":
			return runEdge(ctx, args[1:])
		case disk.Command:
			return disk.Hold(os.Stdin, os.Stdout, args[1:])
		case "soak":
			return runSoak(ctx, args[1:])
		case "check":
			return recheck(args[1:])
		case "clocks":
			return writeOverlay(args[1:])
		case "bugs":
			return searchBugs(ctx, args[1:])
		}
	}
	cfg, err := drill.ParseFlags(args)
	if err != nil {
		return err
	}
	return drill.Run(ctx, cfg, os.Stdout)
}

func searchBugs(ctx context.Context, args []string) error {
	cfg, err := bugs.ParseFlags(args)
	if err != nil {
		return err
	}
	return bugs.Run(ctx, cfg, os.Stdout)
}

// runSoak runs a long drill.
func runSoak(ctx context.Context, args []string) error {
	cfg, err := soak.ParseFlags(args)
	if err != nil {
		return err
	}
	return soak.Run(ctx, cfg, os.Stdout)
}

// writeOverlay writes what builds the services with clocks that can be off, for `go build -overlay`.
func writeOverlay(args []string) error {
	if len(args) != 2 {
		return errors.New("clocks needs the folder of the Go installation and one to write to")
	}
	path, err := clock.Overlay(args[0], args[1])
	if err != nil {
		return err
	}
	fmt.Println(path)
	return nil
}

func recheck(args []string) error {
	if len(args) != 1 {
		return errors.New("check needs the folder that a run has left")
	}
	return drill.Recheck(args[0], os.Stdout)
}

func runNATS(ctx context.Context, args []string) error {
	var cfg cluster.NATSConfig
	flags := flag.NewFlagSet("nats", flag.ContinueOnError)
	flags.StringVar(&cfg.Name, "name", "nats", "of the server")
	flags.StringVar(&cfg.Addr, "addr", "127.0.0.1:4222", "host:port for clients")
	flags.StringVar(&cfg.Monitor, "monitor", "127.0.0.1:8222", "host:port of its health over HTTP")
	flags.StringVar(&cfg.Store, "store", "", "folder of JetStream")
	flags.StringVar(&cfg.Routes, "routes", "", "host:port of the cluster's servers, this one first, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return cluster.ServeNATS(ctx, cfg)
}

func runEdge(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("edge", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8080", "host:port to listen on")
	tasks := flags.String("tasks", "", "host:port of task-service's replicas, separated by commas")
	stats := flags.String("stats", "", "host:port of stats-service's replicas, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return edge.Serve(ctx, *addr, edge.Config{Tasks: strings.Split(*tasks, ","), Stats: strings.Split(*stats, ",")})
}
