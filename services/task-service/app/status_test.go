package app

import (
	"reflect"
	"testing"
	"time"

	"github.com/tallyboard/tallyboard/services/internal/kit/opstatus"
	"github.com/tallyboard/tallyboard/services/task-service/internal/outbox"
)

func TestRelayShowsOnlyWhatWasMeasured(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status outbox.Status
		want   opstatus.Relay
	}{
		"not measured": {outbox.Status{Leading: true, Takeovers: 2}, opstatus.Relay{Leader: true, Takeovers: 2}},
		"nothing waits": {
			outbox.Status{Known: true},
			opstatus.Relay{Unpositioned: new(int64(0)), OldestAgeSeconds: new(0.0), Given: new(int64(0)), Published: new(int64(0))},
		},
		"a backlog": {
			outbox.Status{Leading: true, Known: true, Unpositioned: 1, OldestAge: 1500 * time.Millisecond, Given: 3, Published: 2, Takeovers: 1},
			opstatus.Relay{
				Leader: true, Unpositioned: new(int64(1)), OldestAgeSeconds: new(1.5), Given: new(int64(3)), Published: new(int64(2)), Takeovers: 1,
			},
		},
	} {
		if got := relayStatus(c.status); !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, *got, c.want)
		}
	}
}
