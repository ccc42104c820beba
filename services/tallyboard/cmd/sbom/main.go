// Command sbom writes the software bill of materials of a Go program as CycloneDX JSON to standard output. Image builds
// call it, offline: everything it tells is in the binary and in the UI's lock file.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/tallyboard/tallyboard/services/tallyboard/internal/sbom"
)

func main() {
	var in sbom.Input
	flag.StringVar(&in.Name, "name", "", "name of the program")
	flag.StringVar(&in.Version, "version", "", "version of the program")
	flag.StringVar(&in.Binary, "binary", "", "path of the program")
	flag.StringVar(&in.UI, "ui", "", "folder of the browser UI that is embedded in the program; empty: none is")
	flag.Parse()
	if err := sbom.Write(os.Stdout, in); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}
