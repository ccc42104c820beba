package transfer

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// maxLine bounds a line of an import's progress, in bytes; the last one lists what was refused.
const maxLine = 4 << 20

// Import brings an export (see Export) into an installation: projects that are not there are made, tasks that are not there
// are added. Importing twice adds nothing, and what was cut off can be run again. A project that is there with other tasks
// refuses the import before anything is changed, unless merge adds to it. "-" reads in.
func Import(ctx context.Context, cfg Config, file string, merge bool, in io.Reader, progress io.Writer) (err error) {
	f, err := openArchive(file, in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open %s: %w", file, err)
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return fmt.Errorf("%s is no export of Tallyboard, or it is not complete: %w", file, err)
	}
	m, err := open(z)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	c := newClient(cfg)
	defer c.close()
	im := &importing{client: c, zip: z, progress: progress}
	if !merge {
		for _, p := range m.Projects {
			if err := im.ours(ctx, p); err != nil {
				return fmt.Errorf("import %s: %w", p.Key, err)
			}
		}
	}
	for _, p := range m.Projects {
		if err := im.project(ctx, p); err != nil {
			return fmt.Errorf("import %s: %w (what was imported stays; run the import again to complete it)", p.Key, err)
		}
	}
	fmt.Fprintln(progress, "complete; statistics follow by themselves, and /api/v1/stats/verify compares them with a recount")
	return nil
}

// openArchive opens the file; what comes from elsewhere is kept in one that is gone with the program, for the zip's list
// is at its end.
func openArchive(file string, in io.Reader) (*os.File, error) {
	if file != "-" {
		f, err := os.Open(file) //nolint:gosec // the file the caller of the command names
		if err != nil {
			return nil, fmt.Errorf("open the export: %w", err)
		}
		return f, nil
	}
	f, err := os.CreateTemp("", "tallyboard-import-*")
	if err != nil {
		return nil, fmt.Errorf("keep the export: %w", err)
	}
	_, err = io.Copy(f, in)
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return nil, errors.Join(fmt.Errorf("keep the export: %w", err), f.Close())
	}
	return f, nil
}

// importing is an import under way.
type importing struct {
	*client
	zip      *zip.Reader
	progress io.Writer
}

// report is what the API says of an import.
type report struct {
	Tasks       int64     `json:"tasks"`
	Known       int64     `json:"known"`
	Events      int64     `json:"events"`
	RefusedRows int64     `json:"refusedRows"`
	Refused     []refused `json:"refused"`
}

// refused is a task that was not imported.
type refused struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// ours refuses a project that is there with tasks of which the export has none.
func (im *importing) ours(ctx context.Context, in inventory) error {
	p, there, err := im.existing(ctx, in.Key)
	if err != nil || !there {
		return err
	}
	if p.Archived != nil {
		if in.settings.Project.Archived != nil {
			return nil // it was imported to its end, and is left alone
		}
		return errArchived
	}
	tasks, err := im.hasTasks(ctx, in.Key)
	if err != nil || !tasks {
		return err
	}
	r, err := im.send(ctx, in, true)
	if err != nil {
		return err
	}
	if r.Known == 0 && in.Tasks > 0 {
		return errors.New("a project of this key is there with other tasks (-merge adds to it)")
	}
	return nil
}

func (im *importing) existing(ctx context.Context, key string) (p projectSettings, there bool, err error) {
	err = im.call(ctx, http.MethodGet, "/api/v1/projects/"+key, nil, &p, nil)
	if refusedWith(err, http.StatusNotFound) {
		return p, false, nil
	}
	return p, err == nil, err
}

// errArchived says that nothing can be added to a project.
var errArchived = errors.New("it is there, and archived: open it again first")

// hasTasks reports whether a project has tasks, be it in the trash.
func (im *importing) hasTasks(ctx context.Context, key string) (bool, error) {
	for _, of := range []string{"", "&trashed=true"} {
		var page struct{ Tasks []json.RawMessage }
		err := im.call(ctx, http.MethodGet, "/api/v1/projects/"+key+"/tasks?limit=1"+of, nil, &page, nil)
		if err != nil || len(page.Tasks) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// project brings one project in.
func (im *importing) project(ctx context.Context, in inventory) error {
	p, there, err := im.existing(ctx, in.Key)
	if err != nil {
		return err
	}
	if there && p.Archived != nil {
		if in.settings.Project.Archived == nil { // with -merge, too
			return errArchived
		}
		fmt.Fprintf(im.progress, "%s: is there, and archived; left as it is, without a look at its tasks (open it again to have them compared)\n", in.Key)
		return nil
	}
	ids, err := im.people(ctx, in.settings.People)
	if err != nil {
		return err
	}
	if !there {
		if err := im.create(ctx, in); err != nil {
			return fmt.Errorf("create it: %w", err)
		}
	}
	r, err := im.send(ctx, in, false)
	if err != nil {
		return err
	}
	for _, not := range r.Refused { // tasks, and views whose filter cannot be read here
		fmt.Fprintf(im.progress, "%s: refused %s: %s\n", in.Key, not.ID, not.Reason)
	}
	if r.RefusedRows > 0 {
		return fmt.Errorf("%d tasks were refused", r.RefusedRows)
	}
	if r.Tasks+r.Known != in.Tasks {
		return fmt.Errorf("%d of %d tasks are there", r.Tasks+r.Known, in.Tasks)
	}
	if err := im.members(ctx, in, ids); err != nil {
		return err
	}
	if in.settings.Project.Archived != nil {
		archive := map[string]any{"archived": true}
		if err := im.call(ctx, http.MethodPatch, "/api/v1/projects/"+in.Key, archive, nil, map[string]string{"If-Match": "*"}); err != nil {
			return fmt.Errorf("archive it: %w", err)
		}
	}
	fmt.Fprintf(im.progress, "%s: %d tasks with %d events added, %d were there already\n", in.Key, r.Tasks, r.Events, r.Known)
	return nil
}

// people adds those that are not here, by handle; ids are those of here by those of there. Whom an import once made up from
// a name in a file, the import of the tasks makes again.
func (im *importing) people(ctx context.Context, wanted []person) (ids map[string]string, err error) {
	var have struct{ People []person }
	if err := im.call(ctx, http.MethodGet, "/api/v1/people", nil, &have, nil); err != nil {
		return nil, fmt.Errorf("list the people: %w", err)
	}
	byHandle := map[string]string{}
	for _, p := range have.People {
		byHandle[p.Handle] = p.ID
	}
	ids = map[string]string{}
	for _, p := range wanted {
		if byHandle[p.Handle] == "" && p.Kind == "member" {
			var made person
			if err := im.call(ctx, http.MethodPost, "/api/v1/people", map[string]string{"handle": p.Handle, "name": p.Name}, &made, nil); err != nil {
				return nil, fmt.Errorf("add %s: %w", p.Handle, err)
			}
			byHandle[p.Handle] = made.ID
		}
		if id := byHandle[p.Handle]; id != "" {
			ids[p.ID] = id
		}
	}
	return ids, nil
}

// create makes the project with its columns and labels in their order. A repetition finds the same by its key.
func (im *importing) create(ctx context.Context, in inventory) error {
	p := in.settings.Project
	body := map[string]any{"key": p.Key, "name": p.Name, "description": p.Description}
	var states []state
	for _, s := range p.States {
		if !s.Archived { // of those that are, the import makes what histories name
			states = append(states, s)
		}
	}
	if len(states) > 0 {
		body["states"] = states
	}
	if len(p.Labels) > 0 {
		labels := make([]label, len(p.Labels))
		copy(labels, p.Labels)
		body["labels"] = labels
	}
	return im.call(ctx, http.MethodPost, "/api/v1/projects", body, nil, map[string]string{"Idempotency-Key": "import-" + p.Key + "-" + in.SHA256[:32]})
}

// members gives people the roles they had. Who imports stays an owner.
func (im *importing) members(ctx context.Context, in inventory, ids map[string]string) error {
	p, _, err := im.existing(ctx, in.Key)
	if err != nil {
		return err
	}
	roles := map[string]string{}
	for _, m := range p.Members {
		roles[m.Person] = m.Role
	}
	for _, m := range in.settings.Project.Members {
		id := ids[m.Person]
		if id == "" || roles[id] == m.Role || roles[id] == "owner" {
			continue
		}
		if err := im.call(ctx, http.MethodPut, "/api/v1/projects/"+in.Key+"/members/"+id, map[string]string{"role": m.Role}, nil, nil); err != nil {
			return fmt.Errorf("make somebody a member: %w", err)
		}
	}
	return nil
}

// send streams the project's export to the API.
func (im *importing) send(ctx context.Context, in inventory, dry bool) (r report, err error) {
	entry, err := im.zip.Open(in.File)
	if err != nil {
		return r, fmt.Errorf("open %s: %w", in.File, err)
	}
	defer func() { err = errors.Join(err, entry.Close()) }()
	path := "/api/v1/projects/" + in.Key + "/import?format=tallyboard"
	if dry {
		path += "&dryRun=true"
	}
	res, err := im.stream(ctx, http.MethodPost, path, entry, in.Bytes, map[string]string{"Accept": "application/x-ndjson"})
	if refusedWith(err, http.StatusRequestEntityTooLarge) {
		return r, fmt.Errorf("%w (raise IMPORT_MAX_BYTES of task-service, and the limit of the edge)", err)
	}
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	return im.follow(in, res.Body, dry)
}

// follow reads the lines of a running import.
func (im *importing) follow(in inventory, answer io.Reader, dry bool) (r report, err error) {
	lines := bufio.NewScanner(answer)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var line struct {
			Type    string `json:"type"`
			Rows    int64  `json:"rows"`
			Report  report `json:"report"`
			Problem struct {
				Status int    `json:"status"`
				Detail string `json:"detail"`
			} `json:"problem"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return r, fmt.Errorf("read the answer: %w", err)
		}
		switch line.Type {
		case "report":
			return line.Report, nil
		case "problem":
			return r, &refusal{line.Problem.Status, line.Problem.Detail}
		case "progress":
			if !dry && line.Rows > 0 {
				fmt.Fprintf(im.progress, "%s: %d of %d tasks\n", in.Key, line.Rows, in.Tasks)
			}
		}
	}
	return r, errors.Join(errors.New("the answer broke off"), lines.Err())
}
