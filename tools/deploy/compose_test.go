// Package deploy reads deploy/ as the programs do that it is for: kustomize, the types of Kubernetes and of the
// Prometheus operator, compose.
package deploy

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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
		{"alertmanager", []string{"alertmanager"}, "/alertmanager", false},
		{"alertmanager-receiver", []string{"alertmanager"}, "", false},
		{"apis", []string{"apis"}, "/var/lib/errno_exporter", true},
		{"exporter", nil, "/var/lib/errno_exporter", true},
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
	if len(p.Services) != 7 {
		t.Errorf("services %v, want the seven of the table", p.ServiceNames())
	}
}

// Notifications go to the receivers: each webhook is on the loopback interface that sender and receiver have, on the
// port that the receiver listens on.
func TestComposeReceivers(t *testing.T) {
	for _, row := range []struct{ receiver, sender, file string }{
		{"receiver", "grafana", "../../monitoring/grafana/alerting/contact-points.yml"},
		{"alertmanager-receiver", "alertmanager", "../../monitoring/alertmanager.yml"},
	} {
		receiver := project(t).Services[row.receiver]
		if receiver.NetworkMode != "service:"+row.sender {
			t.Errorf("%s is in the network %q, want that of %s", row.receiver, receiver.NetworkMode, row.sender)
		}
		text, err := os.ReadFile(row.file)
		if err != nil {
			t.Fatal(err)
		}
		want := net.JoinHostPort("127.0.0.1", receiver.Command[len(receiver.Command)-1])
		hooks := regexp.MustCompile(`(?m)^.*\burl: (\S+)$`).FindAllStringSubmatch(string(text), -1)
		if len(hooks) != 2 {
			t.Errorf("%s has the webhooks %q, want that of the pager and that of the team", row.file, hooks)
		}
		for _, hook := range hooks {
			if u, err := url.Parse(hook[1]); err != nil || u.Host != want {
				t.Errorf("%s sends to %s, want %s", row.file, hook[1], want)
			}
		}
	}
}

// Grafana's alerting is what notifies without a profile: its files are provisioned, its data source has the UID that its
// rules name, Prometheus evaluates the rules whose series they read, and has an Alertmanager only with the profile.
func TestComposeGrafanaAlerting(t *testing.T) {
	p := project(t)
	mounted := func(service, target string) string {
		for _, v := range p.Services[service].Volumes {
			if v.Target == target {
				return filepath.Base(filepath.Dir(v.Source)) + "/" + filepath.Base(v.Source)
			}
		}
		return "nothing"
	}
	for _, row := range []struct{ service, target, want string }{
		{"grafana", "/etc/grafana/provisioning/alerting", "grafana/alerting"},
		{"prometheus", "/etc/prometheus/rules/recording.yml", "monitoring/recording.yml"},
		{"prometheus", "/etc/prometheus/rules/alerts.yml", "monitoring/alerts.yml"},
	} {
		if got := mounted(row.service, row.target); got != row.want {
			t.Errorf("%s has %s at %s, want %s", row.service, got, row.target, row.want)
		}
	}
	if enabled := p.Services["grafana"].Environment["GF_UNIFIED_ALERTING_ENABLED"]; enabled == nil || *enabled != "true" {
		t.Errorf("Grafana's alerting is %v, want it enabled", enabled)
	}
	var sources struct {
		Datasources []struct{ UID, Type string }
	}
	var prometheus struct {
		Alerting struct {
			Alertmanagers []struct {
				DNS []struct{ Names []string } `json:"dns_sd_configs"`
			}
		}
	}
	for path, into := range map[string]any{"compose/grafana/datasources/prometheus.yml": &sources, "compose/prometheus.yml": &prometheus} {
		text, err := os.ReadFile(filepath.Join(deploy, path))
		if err == nil {
			err = yaml.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	if len(sources.Datasources) != 1 || sources.Datasources[0].UID != "prometheus" || sources.Datasources[0].Type != "prometheus" {
		t.Errorf("data sources %+v, want one with the UID prometheus", sources.Datasources)
	}
	managers := prometheus.Alerting.Alertmanagers
	if len(managers) != 1 || len(managers[0].DNS) != 1 || !slices.Equal(managers[0].DNS[0].Names, []string{"alertmanager"}) {
		t.Errorf("Alertmanagers %+v, want the name alertmanager, which only the profile has", managers)
	}
}
