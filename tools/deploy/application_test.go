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

// application is a Deployment of the reader's, with the sidecar's label and a volume of its own.
const application = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  labels: {errno-exporter: sidecar}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers: [{name: shop, image: shop}]
      volumes: [{name: data, emptyDir: {}}]
`

// kustomized is what kustomize makes of a directory, by kind. Each resource is decoded strictly.
func kustomized(t *testing.T, dir string, into map[string]any) {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, r := range resources.Resources() {
		kinds = append(kinds, r.GetKind())
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		if into[r.GetKind()] == nil {
			t.Errorf("unknown kind %s", r.GetKind())
		} else if err := yaml.UnmarshalStrict(text, into[r.GetKind()]); err != nil {
			t.Errorf("%s: %v", r.GetKind(), err)
		}
	}
	if len(kinds) != len(into) {
		t.Errorf("kinds %v, want %d", kinds, len(into))
	}
}

// The sidecar is added to an application's own Deployment, whose containers and volumes stay. It has no privilege, and
// shares no namespace but the network.
func TestSidecar(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "sidecar"), os.DirFS(filepath.Join(deploy, "application/sidecar"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"app/deployment.yaml": application, "app/kustomization.yaml": `
resources: [deployment.yaml]
components: [../sidecar]
`} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var app appsv1.Deployment
	var monitor monitoringv1.PodMonitor
	var settings corev1.ConfigMap
	kustomized(t, filepath.Join(dir, "app"), map[string]any{"Deployment": &app, "PodMonitor": &monitor,
		"ConfigMap": &settings})
	pod := app.Spec.Template
	if pod.Labels["app"] != "shop" || pod.Labels["errno-exporter"] != monitor.Spec.Selector.MatchLabels["errno-exporter"] {
		t.Errorf("labels %v, want the application's and what %v selects", pod.Labels, monitor.Spec.Selector)
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for _, c := range pod.Spec.Containers {
			_ = yield(c.Name + " " + c.Image)
		}
	})
	if want := []string{"errno-exporter registry.example.com/errno_exporter:latest", "shop shop"}; !slices.Equal(names, want) {
		t.Fatalf("containers %q, want %q", names, want)
	}
	compareBeside(t, pod.Spec, settings)
	if *monitor.Spec.PodMetricsEndpoints[0].Port != exporterOf(pod.Spec).Ports[0].Name {
		t.Errorf("the monitor scrapes the port %q", *monitor.Spec.PodMetricsEndpoints[0].Port)
	}
	if len(pod.Spec.Volumes) != 2 || pod.Spec.HostNetwork {
		t.Errorf("%+v, want the application's volume beside the exporter's, and the pod's network", pod.Spec)
	}
}

// On a node the exporter is in the host's network namespace, and in no other.
func TestNode(t *testing.T) {
	var set appsv1.DaemonSet
	var settings corev1.ConfigMap
	kustomized(t, filepath.Join(deploy, "application/node"), map[string]any{"DaemonSet": &set, "ConfigMap": &settings})
	pod := set.Spec.Template.Spec
	withoutCgroups(t, &pod)
	compareBeside(t, pod, settings)
	if !pod.HostNetwork || pod.DNSPolicy != corev1.DNSClusterFirstWithHostNet {
		t.Errorf("%+v, want the host's network, and the cluster's names", pod)
	}
}

// withoutCgroups takes away what has the names of the node's containers: its cgroups, read-only, beside the container's
// own.
func withoutCgroups(t *testing.T, pod *corev1.PodSpec) {
	t.Helper()
	i := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.HostPath != nil })
	if i < 0 || pod.Volumes[i].HostPath.Path != "/sys/fs/cgroup" {
		t.Fatalf("volumes %+v, want the node's cgroups", pod.Volumes)
	}
	c, name := exporterOf(*pod), pod.Volumes[i].Name
	j := slices.IndexFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == name })
	if j < 0 || !c.VolumeMounts[j].ReadOnly || c.VolumeMounts[j].MountPath != "/host/sys/fs/cgroup" {
		t.Fatalf("mounts %+v, want %s read-only, and not where the container's own cgroups are", c.VolumeMounts, name)
	}
	pod.Volumes, c.VolumeMounts = slices.Delete(pod.Volumes, i, i+1), slices.Delete(c.VolumeMounts, j, j+1)
}

func exporterOf(pod corev1.PodSpec) *corev1.Container {
	i := slices.IndexFunc(pod.Containers, func(c corev1.Container) bool { return c.Name == "errno-exporter" })
	return &pod.Containers[i]
}

// compareBeside compares what an exporter beside an application has in common with it: the network alone.
func compareBeside(t *testing.T, pod corev1.PodSpec, settings corev1.ConfigMap) {
	t.Helper()
	if pod.HostPID || pod.HostIPC || pod.ShareProcessNamespace != nil {
		t.Errorf("%+v, want no namespace of processes", pod)
	}
	c := exporterOf(pod)
	security := c.SecurityContext
	if !*security.ReadOnlyRootFilesystem || *security.AllowPrivilegeEscalation || len(security.Capabilities.Add) > 0 ||
		!slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}) {
		t.Errorf("security %+v, want no privilege", security)
	}
	if len(c.VolumeMounts) != 1 || !c.VolumeMounts[0].ReadOnly {
		t.Errorf("mounts %+v, want the configuration alone", c.VolumeMounts)
	}
	mounted := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool {
		return v.Name == c.VolumeMounts[0].Name && v.ConfigMap != nil && v.ConfigMap.Name == settings.Name
	})
	if mounted < 0 || !strings.Contains(settings.Data["exporter.yml"], "\nobserve: true") {
		t.Errorf("volumes %+v, want that of %s, with a configuration that observes", pod.Volumes, settings.Name)
	}
}

// In compose the exporter has the application's network, whose service publishes its port.
func TestComposeBeside(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(deploy, "application/compose.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	exporter, app := p.Services["exporter"], p.Services["app"]
	if len(p.Services) != 2 || exporter.NetworkMode != "service:app" || len(exporter.Ports) != 0 ||
		len(app.Ports) != 1 || app.Ports[0].Target != 10104 {
		t.Errorf("exporter %+v, application %+v, want the application's network and port", exporter, app)
	}
	if !exporter.ReadOnly || !slices.Equal(exporter.CapDrop, []string{"ALL"}) || exporter.User != "65532:65532" ||
		exporter.Pid != "" || exporter.Ipc != "" {
		t.Errorf("the exporter has privileges: %+v", exporter)
	}
	for _, volume := range exporter.Volumes {
		if _, err := os.Stat(volume.Source); err != nil {
			t.Error(err)
		}
	}
}
