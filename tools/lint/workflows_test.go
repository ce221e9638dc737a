package lint

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// root is the repository.
const root = "../.."

// workflow is what our rules look at.
type workflow struct {
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]job    `yaml:"jobs"`
}

type job struct {
	Permissions map[string]string `yaml:"permissions"`
	Timeout     int               `yaml:"timeout-minutes"`
	Container   struct {
		Image string `yaml:"image"`
	} `yaml:"container"`
	Steps []step `yaml:"steps"`
}

type step struct {
	Uses string         `yaml:"uses"`
	Run  string         `yaml:"run"`
	With map[string]any `yaml:"with"`
}

// workflows are the workflows' files.
func workflows(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(root + "/.github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v; want the workflows", files, err)
	}
	return files
}

// TestActionlint checks the workflows as actionlint does.
func TestActionlint(t *testing.T) {
	// The scripts are commands of a word or two, which need no shellcheck; and nothing else looks at them.
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := linter.LintFiles(workflows(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

var (
	pinnedAction = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	pinnedImage  = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
)

// TestPinned holds that everything from outside is pinned by its digest, that no job may write but those of a release,
// that each has a bound of time, and that a checkout leaves no credentials behind.
func TestPinned(t *testing.T) {
	for _, file := range workflows(t) {
		w := read(t, file)
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: permissions are %v, want contents: read", file, w.Permissions)
		}
		for name, j := range w.Jobs {
			at := filepath.Base(file) + ": " + name
			if len(j.Permissions) > 0 && filepath.Base(file) != "release.yml" {
				t.Errorf("%s: permissions %v, want the workflow's", at, j.Permissions)
			}
			if j.Timeout == 0 {
				t.Errorf("%s: no timeout-minutes", at)
			}
			if j.Container.Image != "" && !pinnedImage.MatchString(j.Container.Image) {
				t.Errorf("%s: the image %s is not pinned by a digest", at, j.Container.Image)
			}
			for _, s := range j.Steps {
				if s.Uses != "" && !pinnedAction.MatchString(s.Uses) {
					t.Errorf("%s: %s is not pinned by a commit", at, s.Uses)
				}
				if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
					t.Errorf("%s: the checkout keeps its credentials", at)
				}
			}
		}
	}
}

// TestCommands holds that what a workflow runs can be run here: a script of .ci, or a target of the Makefile.
func TestCommands(t *testing.T) {
	known := []string{`git config --global --add safe.directory "$GITHUB_WORKSPACE"`}
	for _, file := range workflows(t) {
		for name, j := range read(t, file).Jobs {
			for _, s := range j.Steps {
				if s.Run == "" || slices.Contains(known, s.Run) {
					continue
				}
				command := strings.Fields(s.Run)
				var err error
				switch {
				case strings.HasPrefix(command[0], ".ci/"):
					_, err = exec.LookPath(filepath.Join(root, command[0]))
				case command[0] == "make":
					err = exec.Command("make", "-C", root, "--dry-run", "--silent", command[1]).Run()
				default:
					t.Errorf("%s: %s: %q is neither a script of .ci nor a target of make", file, name, s.Run)
				}
				if err != nil {
					t.Errorf("%s: %s: %q: %v", file, name, s.Run, err)
				}
			}
		}
	}
}

func read(t *testing.T, file string) (w workflow) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, &w); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return w
}
