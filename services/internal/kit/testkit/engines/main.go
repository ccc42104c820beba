// Command engines prints the engine and version behind each of TEST_MYSQL_URL, TEST_MARIADB_URL and TEST_POSTGRES_URL, as
// the servers themselves report them, and fails if one is missing, does not answer or is another engine.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/testkit"
)

// answerTimeout bounds the conversation with all servers together.
const answerTimeout = time.Minute

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	err := testkit.PrintEngines(ctx, os.Stdout)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "engines:", err)
		os.Exit(1)
	}
}
