package composetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxImageBytes is the size of an image at most: compressed, as it is stored and pulled.
const maxImageBytes = 30 << 20

var ownImages = []string{"task-service", "stats-service", "provision"}

func (s *stack) checkImages(ctx context.Context) error {
	started := time.Now()
	if _, err := s.compose(ctx, "build"); err != nil {
		return err
	}
	s.report.check("all images build", nil, seconds(started))
	for _, name := range ownImages {
		image := "tallyboard/" + name + ":" + testVersion
		if err := s.checkImage(ctx, name, image); err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) checkImage(ctx context.Context, name, image string) error {
	out, err := s.command(ctx, "docker", "image", "inspect", image)
	if err != nil {
		return err
	}
	var list []struct {
		Size   int64
		Config struct {
			User   string
			Env    []string
			Labels map[string]string
		}
	}
	if err := decode([]byte(out), &list); err != nil {
		return err
	}
	if len(list) != 1 {
		return fmt.Errorf("docker image inspect %s tells of %d images", image, len(list))
	}
	info := list[0]
	packed, err := s.packedSize(ctx, image)
	if err != nil {
		return err
	}
	s.report.check(name+": the image is at most 30 MiB to pull", holds(packed <= maxImageBytes, "%.1f MiB", mib(packed)),
		fmt.Sprintf("%.1f MiB (%.1f MiB unpacked)", mib(packed), mib(info.Size)))
	s.report.check(name+": the image runs as a user other than root",
		holds(info.Config.User != "" && info.Config.User != "0" && info.Config.User != "root", "user %q", info.Config.User))
	labels := info.Config.Labels
	commit := labels["org.opencontainers.image.revision"]
	s.report.check(name+": labels name version and commit",
		holds(labels["org.opencontainers.image.version"] == testVersion && len(commit) >= 7, "labels %v", labels))
	version, err := s.command(ctx, "docker", "run", "--rm", "--network", "none", image, "version")
	want := fmt.Sprintf("%s %s+%.12s", name, testVersion, commit)
	if err == nil {
		err = holds(strings.TrimSpace(version) == want, "it says %q, want %q", strings.TrimSpace(version), want)
	}
	s.report.check(name+": the program names version and commit", err, want)
	return s.checkSBOM(ctx, name, image)
}

// packedSize is the size of an image's layers, compressed as in a registry.
func (s *stack) packedSize(ctx context.Context, image string) (int64, error) {
	file := filepath.Join(os.TempDir(), "tallyboard-image-"+fmt.Sprint(os.Getpid())+".tar")
	defer os.Remove(file) //nolint:errcheck // a temporary file
	if _, err := s.command(ctx, "docker", "save", "--output", file, image); err != nil {
		return 0, err
	}
	if _, err := s.command(ctx, "gzip", "--force", file); err != nil {
		return 0, err
	}
	defer os.Remove(file + ".gz") //nolint:errcheck // a temporary file
	info, err := os.Stat(file + ".gz")
	if err != nil {
		return 0, fmt.Errorf("measure the image: %w", err)
	}
	return info.Size(), nil
}

func (s *stack) checkSBOM(ctx context.Context, name, image string) error {
	id, err := s.command(ctx, "docker", "create", "--network", "none", image, "version")
	if err != nil {
		return err
	}
	id = strings.TrimSpace(id)
	file := filepath.Join(os.TempDir(), "tallyboard-sbom-"+fmt.Sprint(os.Getpid())+".json")
	defer os.Remove(file) //nolint:errcheck // a temporary file
	_, err = s.command(ctx, "docker", "cp", id+":/sbom.cdx.json", file)
	if _, removeErr := s.command(ctx, "docker", "rm", "--force", id); removeErr != nil {
		s.report.notef("%v", removeErr)
	}
	if err != nil {
		s.report.fail(name+": the image has a bill of materials", err)
		return nil
	}
	content, err := os.ReadFile(file) //nolint:gosec // written just now
	if err != nil {
		return fmt.Errorf("read the bill of materials: %w", err)
	}
	var document struct {
		BOMFormat  string
		Components []struct{ Purl string }
	}
	err = decode(content, &document)
	if err == nil {
		err = holds(document.BOMFormat == "CycloneDX" && len(document.Components) > 20, "%d components", len(document.Components))
	}
	s.report.check(name+": the image has a bill of materials", err, len(document.Components), " components")
	return nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func seconds(since time.Time) string { return fmt.Sprintf("%.1f s", time.Since(since).Seconds()) }
