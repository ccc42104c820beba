package provision

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// NATS reads these from the environment of its process; they are the same for every test.
	for name, value := range map[string]string{"SERVER_NAME": "nats", "SYNC_INTERVAL": `"1s"`} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}
