package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/boot"
	"github.com/tallyboard/tallyboard/services/tallyboard/internal/transfer"
)

// transferFlags begins the flags of export and import: both take the installation's address, by default TALLYBOARD_URL.
func transferFlags(name, usage string) (*flag.FlagSet, *transfer.Config, error) {
	cfg, err := boot.LoadConfig[transfer.Config](os.Environ())
	if err != nil {
		return nil, nil, err
	}
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "Usage: tallyboard", usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&cfg.URL, "url", cfg.URL, "address of a running Tallyboard (TALLYBOARD_URL)")
	return flags, &cfg, nil
}

// export writes all projects of a running product to a file.
func export(ctx context.Context, args []string) error {
	flags, cfg, err := transferFlags("export", "export [-url URL] [-out FILE]   (FILE - is standard output)")
	if err != nil {
		return err
	}
	file := flags.String("out", "tallyboard-"+time.Now().UTC().Format("20060102T150405Z")+".zip", "file to write, which must not exist")
	if err := flags.Parse(args); err != nil {
		return ignoreHelp(err)
	}
	if flags.NArg() != 0 {
		return errors.New("export takes no arguments but its options; see tallyboard export -h")
	}
	return transfer.Export(ctx, *cfg, version(), *file, os.Stdout, os.Stderr)
}

// bring imports what export wrote into a running product.
func bring(ctx context.Context, args []string) error {
	flags, cfg, err := transferFlags("import", "import [-url URL] [-merge] FILE   (FILE - is standard input)")
	if err != nil {
		return err
	}
	merge := flags.Bool("merge", false, "add to projects that are there with other tasks")
	if err := flags.Parse(args); err != nil {
		return ignoreHelp(err)
	}
	if flags.NArg() != 1 {
		return errors.New("import needs one file; see tallyboard import -h")
	}
	return transfer.Import(ctx, *cfg, flags.Arg(0), *merge, os.Stdin, os.Stderr)
}

func ignoreHelp(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	return err
}
