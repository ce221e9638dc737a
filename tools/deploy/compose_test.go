// Package deploy reads deploy/ as the programs do that it is for: kustomize, the types of Kubernetes and of the
// Prometheus operator, compose.
package deploy

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"sigs.k8s.io/yaml"
)

const deploy = "../../deploy"

// project is compose's reading of its file, with all profiles.
func project(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(deploy, "compose/compose.yaml")},
		cli.WithProfiles([]string{"*"}))
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What is mounted is there, what has to survive is in a volume, and the exporter has no privileges.
func TestCompose(t *testing.T) {
	p := project(t)
	for _, row := range []struct {
		service  string
		profiles []string
		volume   string // where its data is
		built    bool   // from this repository, and run without privileges
	}{
		{"alertmanager", nil, "/alertmanager", false},
		{"apis", []string{"apis"}, "", true},
		{"exporter", nil, "", true},
		{"grafana", nil, "/var/lib/grafana", false},
		{"prometheus", nil, "/prometheus", false},
		{"receiver", nil, "", false},
	} {
		service, there := p.Services[row.service]
		if !there || !slices.Equal(service.Profiles, row.profiles) {
			t.Errorf("service %s has the profiles %v, want %v", row.service, service.Profiles, row.profiles)
			continue
		}
		data := ""
		for _, volume := range service.Volumes {
			if _, err := os.Stat(volume.Source); volume.Type == types.VolumeTypeBind && err != nil {
				t.Errorf("%s mounts what is not there: %v", row.service, err)
			}
			if _, named := p.Volumes[volume.Source]; volume.Type == types.VolumeTypeVolume && named {
				data = volume.Target
			}
		}
		if data != row.volume {
			t.Errorf("%s has its data at %q, want %q", row.service, data, row.volume)
		}
		if (service.Build != nil) != row.built {
			t.Errorf("%s is built: %t, want %t", row.service, service.Build != nil, row.built)
		}
		if !row.built {
			continue
		}
		if _, err := os.Stat(filepath.Join(service.Build.Context, service.Build.Dockerfile)); err != nil {
			t.Error(err)
		}
		if !service.ReadOnly || !slices.Equal(service.CapDrop, []string{"ALL"}) || service.User != "65532:65532" {
			t.Errorf("%s has privileges: %+v", row.service, service)
		}
	}
	if len(p.Services) != 6 {
		t.Errorf("services %v, want the six of the table", p.ServiceNames())
	}
}

// Alertmanager's notifications go to the receiver: each webhook is on the loopback interface that both have, on the
// port that the receiver listens on.
func TestComposeReceiver(t *testing.T) {
	receiver := project(t).Services["receiver"]
	if receiver.NetworkMode != "service:alertmanager" {
		t.Errorf("the receiver is in the network %q, want Alertmanager's", receiver.NetworkMode)
	}
	text, err := os.ReadFile("../../monitoring/alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	var alertmanager struct {
		Receivers []struct {
			Name           string
			WebhookConfigs []struct{ URL string } `json:"webhook_configs"`
		}
	}
	if err := yaml.Unmarshal(text, &alertmanager); err != nil {
		t.Fatal(err)
	}
	want := net.JoinHostPort("127.0.0.1", receiver.Command[len(receiver.Command)-1])
	hooks := 0
	for _, r := range alertmanager.Receivers {
		hooks += len(r.WebhookConfigs)
		for _, hook := range r.WebhookConfigs {
			if u, err := url.Parse(hook.URL); err != nil || u.Host != want {
				t.Errorf("receiver %s sends to %s, want %s", r.Name, hook.URL, want)
			}
		}
	}
	if hooks == 0 {
		t.Error("Alertmanager has no webhooks")
	}
}
