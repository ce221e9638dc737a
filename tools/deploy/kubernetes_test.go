package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// built is what kustomize makes; a Deployment or a StatefulSet is nil where there is the other.
type built struct {
	kinds       []string // sorted
	deployment  *appsv1.Deployment
	statefulSet *appsv1.StatefulSet
	service     corev1.Service
	configMap   corev1.ConfigMap
	monitor     monitoringv1.ServiceMonitor
	probe       monitoringv1.Probe
	rule        monitoringv1.PrometheusRule
	network     networkingv1.NetworkPolicy
	budget      policyv1.PodDisruptionBudget
}

// build makes deploy/kubernetes with components.
func build(t *testing.T, components []string) *built {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(deploy, "kubernetes"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "kustomization.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, component := range components { // as a reader does it
		line := "\n#   - components/" + component + " "
		if !strings.Contains(string(text), line) {
			t.Fatalf("kustomization.yaml does not offer components/%s", component)
		}
		text = []byte(strings.Replace(string(text), line, "\n  - components/"+component+" ", 1))
	}
	if len(components) > 0 {
		text = []byte(strings.Replace(string(text), "\n# components:\n", "\ncomponents:\n", 1))
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var documents [][]byte
	for _, r := range resources.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, text)
	}
	return decoded(t, documents)
}

// decoded decodes each resource strictly: no key that its type does not know.
func decoded(t *testing.T, documents [][]byte) *built {
	t.Helper()
	b := new(built)
	into := map[string]any{"Service": &b.service, "ConfigMap": &b.configMap, "ServiceMonitor": &b.monitor,
		"Probe": &b.probe, "PrometheusRule": &b.rule, "NetworkPolicy": &b.network, "PodDisruptionBudget": &b.budget,
		"Deployment": &b.deployment, "StatefulSet": &b.statefulSet}
	for _, text := range documents {
		var r metav1.TypeMeta
		if err := yaml.Unmarshal(text, &r); err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		b.kinds = append(b.kinds, r.Kind)
		if into[r.Kind] == nil {
			t.Errorf("unknown kind %s", r.Kind)
		} else if err := yaml.UnmarshalStrict(text, into[r.Kind]); err != nil {
			t.Errorf("%s: %v", r.Kind, err)
		}
	}
	slices.Sort(b.kinds)
	return b
}

// pods is the template of the exporter's pods.
func (b *built) pods() *corev1.PodTemplateSpec {
	if b.statefulSet != nil {
		return &b.statefulSet.Spec.Template
	}
	return &b.deployment.Spec.Template
}

// deployed is what differs between the ways to deploy.
type deployed struct {
	Workload string
	Image    string
	Release  string // the label of what the operator reads
	Service  string // its address
	Shard    string // the argument; empty if there is none
	Added    string // capabilities
}

func (b *built) deployed() deployed {
	container := b.pods().Spec.Containers[0]
	d := deployed{Workload: "Deployment", Image: container.Image, Service: b.service.Spec.ClusterIP}
	for _, capability := range container.SecurityContext.Capabilities.Add {
		d.Added += string(capability)
	}
	if b.statefulSet != nil {
		d.Workload = "StatefulSet"
	}
	releases := []string{b.monitor.Labels["release"], b.probe.Labels["release"], b.rule.Labels["release"]}
	d.Release = strings.Join(slices.Compact(releases), " and ")
	for _, argument := range container.Args {
		if shard, found := strings.CutPrefix(argument, "--shard="); found {
			d.Shard = shard
		}
	}
	return d
}

func TestKubernetes(t *testing.T) {
	const image = "registry.example.com/errno_exporter:"
	for _, row := range []struct {
		components string
		want       deployed
	}{
		{"", deployed{Workload: "Deployment", Image: image + "latest"}},
		{"kube-prometheus-stack", deployed{Workload: "Deployment", Image: image + "latest",
			Release: "kube-prometheus-stack"}},
		{"reset-capture", deployed{Workload: "Deployment", Image: image + "capture",
			Added: "NET_RAW"}},
		{"sharded", deployed{Workload: "StatefulSet", Image: image + "latest", Service: "None",
			Shard: "$(POD_INDEX)/3"}},
		{"kube-prometheus-stack sharded reset-capture", deployed{Workload: "StatefulSet", Image: image + "capture",
			Release: "kube-prometheus-stack", Service: "None", Shard: "$(POD_INDEX)/3",
			Added: "NET_RAW"}},
	} {
		t.Run("with "+row.components, func(t *testing.T) {
			b := build(t, strings.Fields(row.components))
			if got := b.deployed(); got != row.want {
				t.Errorf("deployed %+v, want %+v", got, row.want)
			}
			kinds := []string{"ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "Probe", "PrometheusRule", "Service",
				"ServiceMonitor", row.want.Workload}
			if slices.Sort(kinds); !slices.Equal(b.kinds, kinds) {
				t.Errorf("kinds %v, want %v", b.kinds, kinds)
			}
			checkSelectors(t, b)
			checkPods(t, b)
			checkStrategy(t, b)
			checkNetwork(t, b)
		})
	}
}

// checkSelectors checks that everything that selects pods or services selects the exporter's.
func checkSelectors(t *testing.T, b *built) {
	t.Helper()
	own := b.pods().Labels
	for _, row := range []struct {
		name     string
		selector metav1.LabelSelector
		labels   map[string]string
	}{
		{"the service", metav1.LabelSelector{MatchLabels: b.service.Spec.Selector}, own},
		{"the monitor", b.monitor.Spec.Selector, b.service.Labels},
		{"the network policy", b.network.Spec.PodSelector, own},
		{"the disruption budget", *b.budget.Spec.Selector, own},
	} {
		selector, err := metav1.LabelSelectorAsSelector(&row.selector)
		if err != nil {
			t.Fatal(err)
		}
		if selector.Empty() || !selector.Matches(labels.Set(row.labels)) {
			t.Errorf("%s selects %q, want what selects %v only", row.name, selector, row.labels)
		}
	}
	// Pods stay apart: the label instance is the pod's name, and not a constant.
	instance := slices.IndexFunc(b.monitor.Spec.Endpoints[0].RelabelConfigs, func(c monitoringv1.RelabelConfig) bool {
		return c.TargetLabel == "instance" && c.Replacement == nil &&
			slices.Equal(c.SourceLabels, []monitoringv1.LabelName{"__meta_kubernetes_pod_name"})
	})
	if instance < 0 {
		t.Errorf("relabelings %+v, want instance from the pod's name", b.monitor.Spec.Endpoints[0].RelabelConfigs)
	}
}

// checkPods checks what every pod has: no privileges, and a memory limit that Go knows.
func checkPods(t *testing.T, b *built) {
	t.Helper()
	container := b.pods().Spec.Containers[0]
	security := container.SecurityContext
	captures := len(security.Capabilities.Add) > 0 // whose capability no_new_privs would disable
	if !*security.ReadOnlyRootFilesystem || *security.AllowPrivilegeEscalation != captures ||
		!slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}) ||
		!*b.pods().Spec.SecurityContext.RunAsNonRoot {
		t.Errorf("security %+v, want a read-only root, no capabilities and no root", security)
	}
	if volume := b.pods().Spec.Volumes[0].ConfigMap.Name; volume != b.configMap.Name {
		t.Errorf("the volume is %s, the map %s", volume, b.configMap.Name)
	}
	env := map[string]corev1.EnvVar{}
	for i, variable := range container.Env {
		env[variable.Name] = variable
		for _, later := range container.Env[i+1:] { // a reference is replaced only if it comes after its variable
			if strings.Contains(variable.Value, "$("+later.Name+")") {
				t.Errorf("%s refers to %s, which comes later", variable.Name, later.Name)
			}
		}
	}
	limit := container.Resources.Limits.Memory().Value()
	soft, err := resource.ParseQuantity(strings.TrimSuffix(env["GOMEMLIMIT"].Value, "B"))
	if err != nil || soft.Value() != limit/2 {
		t.Errorf("GOMEMLIMIT is %q (%v), want half of the %d bytes of limits.memory", env["GOMEMLIMIT"].Value, err, limit)
	}
}

// checkStrategy checks that no two pods probe the same targets at a time, also while they are replaced.
func checkStrategy(t *testing.T, b *built) {
	t.Helper()
	if b.budget.Spec.MaxUnavailable.IntValue() != 1 || b.budget.Spec.MinAvailable != nil {
		t.Errorf("disruption budget %+v, want one pod at a time", b.budget.Spec)
	}
	if b.statefulSet == nil {
		if spec := b.deployment.Spec; *spec.Replicas != 1 || spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
			t.Errorf("%d replicas, strategy %s, want one that is recreated", *spec.Replicas, spec.Strategy.Type)
		}
		return
	}
	spec := b.statefulSet.Spec
	shard := fmt.Sprintf("--shard=$(POD_INDEX)/%d", *spec.Replicas)
	container := spec.Template.Spec.Containers[0]
	if !slices.Contains(container.Args, shard) {
		t.Errorf("arguments %v, want %s, as there are so many replicas", container.Args, shard)
	}
	number := slices.IndexFunc(container.Env, func(v corev1.EnvVar) bool {
		return v.Name == "POD_INDEX" && v.ValueFrom != nil && v.ValueFrom.FieldRef != nil &&
			v.ValueFrom.FieldRef.FieldPath == "metadata.labels['apps.kubernetes.io/pod-index']"
	})
	if number < 0 {
		t.Errorf("environment %+v, want POD_INDEX from the pod's label", container.Env)
	}
	if spec.ServiceName != b.service.Name {
		t.Errorf("the governing service is %s, want %s", spec.ServiceName, b.service.Name)
	}
}

// checkNetwork checks that the policy admits Prometheus to the exporter's port, and not the exporter itself.
func checkNetwork(t *testing.T, b *built) {
	t.Helper()
	ingress := b.network.Spec.Ingress
	if len(ingress) != 1 || len(ingress[0].From) != 1 || len(ingress[0].Ports) != 1 {
		t.Fatalf("ingress %+v, want one rule", ingress)
	}
	if port := ingress[0].Ports[0].Port.StrVal; port != b.pods().Spec.Containers[0].Ports[0].Name {
		t.Errorf("port %s is admitted, want the container's", port)
	}
	selector, err := metav1.LabelSelectorAsSelector(ingress[0].From[0].PodSelector)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		pod  labels.Set
		want bool
	}{
		{labels.Set{"app.kubernetes.io/name": "prometheus"}, true},
		{labels.Set{"app.kubernetes.io/name": "prometheus-agent"}, true},
		{labels.Set{"app.kubernetes.io/name": "alloy"}, true},
		{b.pods().Labels, false},
		{nil, false},
	} {
		if got := selector.Matches(row.pod); got != row.want {
			t.Errorf("pods with the labels %v are admitted: %t, want %t", row.pod, got, row.want)
		}
	}
	var blocks []string
	for _, rule := range b.network.Spec.Egress {
		for _, to := range rule.To {
			blocks = append(blocks, to.IPBlock.CIDR+" but "+strings.Join(to.IPBlock.Except, ", "))
		}
	}
	want := []string{"0.0.0.0/0 but 169.254.0.0/16", "::/0 but fe80::/10, fd00:ec2::254/128"}
	if !slices.Equal(blocks, want) {
		t.Errorf("egress to %q, want %q", blocks, want)
	}
}
