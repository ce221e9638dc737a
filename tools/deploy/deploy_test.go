// Package deploy reads deploy/ as the programs do that it is for: kustomize, the types of Kubernetes and of the
// Prometheus operator, compose.
package deploy

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const deploy = "../../deploy"

// What kustomize makes is decoded strictly: no key that the types do not know.
func TestKubernetes(t *testing.T) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(),
		filepath.Join(deploy, "kubernetes"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]any{
		"Deployment": &appsv1.Deployment{}, "Service": &corev1.Service{}, "ConfigMap": &corev1.ConfigMap{},
		"ServiceMonitor": &monitoringv1.ServiceMonitor{}, "Probe": &monitoringv1.Probe{},
		"PrometheusRule": &monitoringv1.PrometheusRule{},
	}
	var seen []string
	for _, r := range resources.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		into, known := kinds[r.GetKind()]
		if !known {
			t.Errorf("unknown kind %s", r.GetKind())
			continue
		}
		seen = append(seen, r.GetKind())
		if err := yaml.UnmarshalStrict(text, into); err != nil {
			t.Errorf("%s: %v", r.GetKind(), err)
		}
	}
	slices.Sort(seen)
	if want := "ConfigMap Deployment Probe PrometheusRule Service ServiceMonitor"; strings.Join(seen, " ") != want {
		t.Errorf("kinds %v, want %s", seen, want)
	}

	deployment, service := kinds["Deployment"].(*appsv1.Deployment), kinds["Service"].(*corev1.Service)
	for name, value := range service.Spec.Selector {
		if deployment.Spec.Template.Labels[name] != value {
			t.Errorf("the service selects %s=%s, the pods have %q", name, value, deployment.Spec.Template.Labels[name])
		}
	}
	if len(service.Spec.Selector) == 0 {
		t.Error("the service selects everything")
	}
	monitor := kinds["ServiceMonitor"].(*monitoringv1.ServiceMonitor)
	for name, value := range monitor.Spec.Selector.MatchLabels {
		if service.Labels[name] != value {
			t.Errorf("the monitor selects %s=%s, the service has %q", name, value, service.Labels[name])
		}
	}
	if len(monitor.Spec.Selector.MatchLabels) == 0 {
		t.Error("the monitor selects everything")
	}
	container := deployment.Spec.Template.Spec.Containers[0]
	if s := container.SecurityContext; !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation {
		t.Error("the container's root is not read-only, or it may get more privileges")
	}
	if volume := deployment.Spec.Template.Spec.Volumes[0].ConfigMap.Name; volume != kinds["ConfigMap"].(*corev1.ConfigMap).Name {
		t.Errorf("the volume is %s, the map %s", volume, kinds["ConfigMap"].(*corev1.ConfigMap).Name)
	}
}

// compose reads its file, and everything that is mounted is there.
func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(deploy, "compose/compose.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if names := project.ServiceNames(); !slices.Equal(names,
		[]string{"alertmanager", "exporter", "grafana", "prometheus"}) {
		t.Errorf("services %v", names)
	}
	for name, service := range project.Services {
		for _, volume := range service.Volumes {
			if _, err := os.Stat(volume.Source); volume.Type == "bind" && err != nil {
				t.Errorf("%s mounts what is not there: %v", name, err)
			}
		}
	}
	if build := project.Services["exporter"].Build; build == nil {
		t.Error("the exporter is not built")
	} else if _, err := os.Stat(filepath.Join(build.Context, build.Dockerfile)); err != nil {
		t.Error(err)
	}
}
