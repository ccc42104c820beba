package jsbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// managedBy marks streams that services made themselves, and so may update. A stream made at deploy is left as it is.
const managedBy = "tallyboard-managed-by"

// EnsureStream creates the stream if it is missing and this identity manages it, and brings the limits of one that it
// made earlier up to the configuration. For other identities it only checks that the stream is there.
func (b *Bus) EnsureStream(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.RequestTimeout)
	defer cancel()
	stream, err := b.js.Stream(ctx, b.cfg.Stream)
	switch {
	case err == nil && (b.cfg.Provisioned || stream.CachedInfo().Config.Metadata[managedBy] == ""):
		return nil
	case err == nil:
		have := stream.CachedInfo().Config
		if have.MaxAge == b.cfg.MaxAge && have.Replicas == b.cfg.Replicas && have.Duplicates == b.cfg.DuplicateWindow {
			return nil
		}
		if _, err := b.js.UpdateStream(ctx, b.streamConfig()); err != nil {
			b.log.WarnContext(ctx, "stream keeps its limits", "stream", b.cfg.Stream, "error", err)
		}
		return nil
	case errors.Is(err, jetstream.ErrStreamNotFound) && !b.cfg.Provisioned:
		_, err = b.js.CreateStream(ctx, b.streamConfig())
		if err == nil {
			b.log.InfoContext(ctx, "stream created", "stream", b.cfg.Stream, "replicas", b.cfg.Replicas)
			return nil
		}
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another replica was faster
			return nil
		}
		return fmt.Errorf("create stream %s: %w", b.cfg.Stream, err)
	}
	return fmt.Errorf("look up stream %s: %w", b.cfg.Stream, err)
}

func (b *Bus) streamConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        b.cfg.Stream,
		Description: "Changes of tasks and projects, from the events table",
		Subjects:    b.cfg.Subjects,
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		MaxAge:      b.cfg.MaxAge,
		Duplicates:  min(b.cfg.DuplicateWindow, b.cfg.MaxAge),
		Replicas:    b.cfg.Replicas,
		Metadata:    map[string]string{managedBy: "services"},
	}
}
