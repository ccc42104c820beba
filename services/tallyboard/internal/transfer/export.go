package transfer

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// importLimit is what one project may have for an installation to import it, in bytes, unless IMPORT_MAX_BYTES says otherwise.
const importLimit = 64 << 20

// Export writes every project of an installation, archived ones included, to a file, or to out if the name is "-". A file
// that exists is not touched; a new one is there when it is complete, readable by its owner alone. progress gets a line per
// project.
func Export(ctx context.Context, cfg Config, version, file string, out, progress io.Writer) (err error) {
	c := newClient(cfg)
	defer c.close()
	if file == "-" {
		return c.export(ctx, version, out, progress)
	}
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s exists already: choose another name with -out", file)
	}
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.part") // with mode 0600
	if err != nil {
		return fmt.Errorf("make the file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignore(part.Close(), os.ErrClosed), os.Remove(part.Name()))
		}
	}()
	if err := c.export(ctx, version, part, progress); err != nil {
		return err
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := place(part.Name(), file); err != nil {
		return err
	}
	fmt.Fprintf(progress, "%s is complete\n", file)
	return nil
}

// place gives a file its name, if no other has it: the name is taken first, which works where there are no hard links.
func place(part, file string) error {
	taken, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // chosen by who exports
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	err = taken.Close()
	if err == nil {
		err = os.Rename(part, file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", file, err), os.Remove(file))
	}
	return nil
}

func ignore(err, which error) error {
	if errors.Is(err, which) {
		return nil
	}
	return err
}

func (c *client) export(ctx context.Context, version string, out, progress io.Writer) error {
	var list struct{ Projects []struct{ Key string } }
	if err := c.call(ctx, http.MethodGet, "/api/v1/projects?archived=true", nil, &list, nil); err != nil {
		return fmt.Errorf("list the projects: %w", err)
	}
	m := manifest{Format: format, Exported: time.Now().UTC().Truncate(time.Second), Version: version, Projects: []inventory{}}
	z := zip.NewWriter(out)
	for _, p := range list.Projects {
		in, err := c.exportProject(ctx, z, p.Key)
		if err != nil {
			return fmt.Errorf("export %s: %w", p.Key, err)
		}
		m.Projects = append(m.Projects, in)
		fmt.Fprintf(progress, "%s: %d tasks, %d events, %d comments\n", in.Key, in.Tasks, in.Events, in.Comments)
		if in.Bytes > importLimit {
			fmt.Fprintf(progress, "%s: has %d MiB, so raise IMPORT_MAX_BYTES of task-service where it is imported, and the limit of the edge\n", in.Key, in.Bytes>>20)
		}
	}
	w, err := z.Create(manifestName)
	if err != nil {
		return fmt.Errorf("write %s: %w", manifestName, err)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := errors.Join(enc.Encode(m), z.Close()); err != nil {
		return fmt.Errorf("write %s: %w", manifestName, err)
	}
	return nil
}

func (c *client) exportProject(ctx context.Context, z *zip.Writer, key string) (in inventory, err error) {
	res, err := c.stream(ctx, http.MethodGet, "/api/v1/projects/"+key+"/export?format=json", nil, 0, nil)
	if err != nil {
		return in, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	name := "projects/" + key + ".json"
	w, err := z.Create(name)
	if err != nil {
		return in, fmt.Errorf("write %s: %w", name, err)
	}
	if in, err = take(io.TeeReader(res.Body, w)); err != nil {
		return in, err
	}
	if in.Key != key {
		return in, fmt.Errorf("the export is of %s", in.Key)
	}
	in.File = name
	return in, nil
}
