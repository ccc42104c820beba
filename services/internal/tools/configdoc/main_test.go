package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReadsNestedStructs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := `package p
type Config struct {
	// Port is where it listens.
	Port int ` + "`env:\"PORT\" envDefault:\"80\"`" + `
	Inner Pool
	Kept string
	Alias other
}
type other string
type Pool struct {
	Size int ` + "`env:\"SIZE,required\"`" + ` // connections | at most
}`
	if err := os.WriteFile(filepath.Join(dir, "c.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	vars, err := variablesOf(dir, "Config", "X_")
	if err != nil {
		t.Fatal(err)
	}
	if len(vars) != 2 {
		t.Fatalf("got %d variables", len(vars))
	}
	if v := vars[0]; v.name != "X_PORT" || v.shownDefault() != "`80`" || v.meaning != "Where it listens." {
		t.Errorf("got %+v", v)
	}
	if v := vars[1]; v.name != "X_SIZE" || v.shownDefault() != "required" || v.meaning != "Connections | at most" {
		t.Errorf("got %+v", v)
	}
}
