package checks_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

const (
	chart      = repository + "/terraform/charts/firn"
	kubernetes = "1.33.0"
)

// The oldest Kubernetes that Chart.yaml allows, and later ones up to the newest that there are schemas of.
var kubernetesVersions = []string{"1.27", "1.30", "1.33", "1.37"}

// rendered is what the chart makes of values, decoded without leniency: an unknown or doubled field is an error.
type rendered struct {
	broker    apps.StatefulSet
	control   apps.Deployment
	services  map[string]core.Service
	policies  []networking.NetworkPolicy
	budgets   []policy.PodDisruptionBudget
	ingresses []networking.Ingress
	accounts  []core.ServiceAccount
}

func manifests(t *testing.T, values string) string {
	t.Helper()
	return run(t, ".", nil, program(t, "FIRN_HELM"), "template", "cell", chart, "--namespace", "streams",
		"--kube-version", kubernetes, "--values", filepath.Join(chart, "ci", values+"-values.yaml"))
}

func render(t *testing.T, values string) rendered {
	t.Helper()
	made := rendered{services: map[string]core.Service{}}
	for _, document := range strings.Split(manifests(t, values), "\n---\n") {
		var kind struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		switch kind.APIVersion + " " + kind.Kind {
		case "apps/v1 StatefulSet":
			made.broker = strict[apps.StatefulSet](t, document)
		case "apps/v1 Deployment":
			made.control = strict[apps.Deployment](t, document)
		case "v1 Service":
			service := strict[core.Service](t, document)
			made.services[service.Name] = service
		case "v1 ServiceAccount":
			made.accounts = append(made.accounts, strict[core.ServiceAccount](t, document))
		case "networking.k8s.io/v1 NetworkPolicy":
			made.policies = append(made.policies, strict[networking.NetworkPolicy](t, document))
		case "networking.k8s.io/v1 Ingress":
			made.ingresses = append(made.ingresses, strict[networking.Ingress](t, document))
		case "policy/v1 PodDisruptionBudget":
			made.budgets = append(made.budgets, strict[policy.PodDisruptionBudget](t, document))
		case " ":
		default:
			t.Errorf("nobody looks at %s %s", kind.APIVersion, kind.Kind)
		}
	}
	return made
}

func strict[T any](t *testing.T, document string) T {
	t.Helper()
	var object T
	if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return object
}

func (r rendered) pods() map[string]core.PodTemplateSpec {
	return map[string]core.PodTemplateSpec{"broker": r.broker.Spec.Template, "control": r.control.Spec.Template}
}

// Every test below looks at both.
var samples = []string{"minimal", "full"}

func TestTheChartPassesHelmsOwnLint(t *testing.T) {
	for _, values := range samples {
		run(t, ".", nil, program(t, "FIRN_HELM"), "lint", "--strict", "--kube-version", kubernetes, chart, "--values", filepath.Join(chart, "ci", values+"-values.yaml"))
	}
}

func TestManifestsAreWhatKubernetesPublishesSchemasOf(t *testing.T) {
	for _, values := range samples {
		path := filepath.Join(t.TempDir(), values+".yaml")
		write(t, path, manifests(t, values))
		for _, version := range kubernetesVersions {
			run(t, ".", nil, program(t, "FIRN_KUBERNETES_VALIDATE"), "--kubernetes-version", version, "--strict", "--quiet", path)
		}
	}
}

func TestPodsStartFirnWithSettingsThatItTakes(t *testing.T) {
	for _, values := range samples {
		for role, pod := range render(t, values).pods() {
			container := only(t, "containers", pod.Spec.Containers)
			if !slices.Equal(container.Command, []string{"firn", role}) || len(container.Args) != 0 {
				t.Errorf("%s: %v %v", role, container.Command, container.Args)
			}
			var environment []string
			seen := map[string]bool{}
			for _, env := range container.Env {
				if seen[env.Name] {
					t.Errorf("%s %s: %s is there twice", values, role, env.Name)
				}
				seen[env.Name] = true
				if strings.HasPrefix(env.Name, "FIRN_") {
					if settingOf(t, env.Name) == "" {
						t.Errorf("%s %s: firn reads no variable %s", values, role, env.Name)
					}
					environment = append(environment, env.Name+"="+valueOf(env))
				}
			}
			rows := accepted(t, environment)
			for _, setting := range []string{"catalog", "master-key", "http", "advertise", "cell-domain"} {
				if rows[setting].Origin == "default" {
					t.Errorf("%s %s: %s is not set", values, role, setting)
				}
			}
			for setting, expected := range map[string]map[string]string{
				"broker":  {"wal": "object", "node": "0", "internal-advertise": "cell-broker-0.cell-broker.streams.svc:9094"},
				"control": {"public-url": "https://firn.example.com"},
			}[role] {
				if rows[setting].Value != expected {
					t.Errorf("%s %s: %s is %s", values, role, setting, rows[setting].Value)
				}
			}
		}
	}
}

// valueOf is what a variable has in a pod, with a stand-in for what is in secrets.
func valueOf(env core.EnvVar) string {
	switch {
	case env.ValueFrom == nil:
		return strings.ReplaceAll(env.Value, "$(POD_NAME)", "cell-broker-0")
	case env.Name == "FIRN_CATALOG":
		return "postgres://firn:password@db/firn"
	case env.Name == "FIRN_SMTP_URL":
		return "smtps://mailer:password@mail.example.com"
	}
	return "of a secret that is not expected: " + env.Name
}

func TestKafkaSettingsReachTheBroker(t *testing.T) {
	for _, env := range only(t, "containers", render(t, "full").broker.Spec.Template.Spec.Containers).Env {
		if env.Name == "FIRN_KAFKA_CONFIG" {
			if env.Value != "auto.create.topics.enable=false;num.partitions=3" {
				t.Error(env.Value)
			}
			return
		}
	}
	t.Error("they do not")
}

func TestSecretsAreOnlyReferredTo(t *testing.T) {
	secret := []string{"FIRN_CATALOG", "FIRN_SMTP_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
	found := map[string]bool{}
	for role, pod := range render(t, "full").pods() {
		for _, env := range pod.Spec.Containers[0].Env {
			if !slices.Contains(secret, env.Name) {
				continue
			}
			found[env.Name] = true
			if env.Value != "" || env.ValueFrom == nil || env.ValueFrom.SecretKeyRef == nil {
				t.Errorf("%s: %s is in the manifest", role, env.Name)
			}
		}
	}
	if len(found) != len(secret) {
		t.Errorf("only %v", found)
	}
}

func TestPodsHaveNoRights(t *testing.T) {
	for _, values := range samples {
		made := render(t, values)
		for role, pod := range made.pods() {
			spec := pod.Spec
			if !*spec.SecurityContext.RunAsNonRoot || *spec.SecurityContext.RunAsUser == 0 || spec.SecurityContext.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
				t.Errorf("%s: %+v", role, spec.SecurityContext)
			}
			if *spec.AutomountServiceAccountToken || spec.HostNetwork || spec.HostPID {
				t.Errorf("%s gets what it does not need", role)
			}
			for _, container := range append(spec.InitContainers, spec.Containers...) {
				rights := container.SecurityContext
				if *rights.AllowPrivilegeEscalation || !*rights.ReadOnlyRootFilesystem || !slices.Equal(rights.Capabilities.Drop, []core.Capability{"ALL"}) {
					t.Errorf("%s %s: %+v", role, container.Name, rights)
				}
				if container.Resources.Limits.Memory().IsZero() || container.Resources.Requests.Cpu().IsZero() {
					t.Errorf("%s %s takes what it gets", role, container.Name)
				}
			}
			for _, volume := range spec.Volumes {
				if volume.HostPath != nil || (volume.Secret != nil && *volume.Secret.DefaultMode != 0o440) {
					t.Errorf("%s: volume %s", role, volume.Name)
				}
			}
		}
		for _, account := range made.accounts {
			if *account.AutomountServiceAccountToken {
				t.Errorf("%s hands out tokens", account.Name)
			}
		}
	}
}

// firn refuses a master key that others can read, and a secret's volume is readable by the pod's group.
func TestTheMasterKeyIsCopiedForItsUserAlone(t *testing.T) {
	for role, pod := range render(t, "full").pods() {
		init := only(t, "init containers", pod.Spec.InitContainers)
		if !slices.Equal(init.Command, []string{"install", "-m", "0600", "/secrets/master-key/master-key", "/run/firn/master.key"}) {
			t.Errorf("%s: %v", role, init.Command)
		}
		for _, volume := range pod.Spec.Volumes {
			switch volume.Name {
			case "run":
				if volume.EmptyDir == nil || volume.EmptyDir.Medium != core.StorageMediumMemory {
					t.Errorf("%s: the copy is on a disk", role)
				}
			case "master-key":
				if item := only(t, "items", volume.Secret.Items); item.Key != "key" || item.Path != "master-key" {
					t.Errorf("%s: %+v", role, item)
				}
			}
		}
		if mounts := pod.Spec.Containers[0].VolumeMounts; slices.ContainsFunc(mounts, func(m core.VolumeMount) bool { return m.Name == "master-key" }) {
			t.Errorf("%s sees the secret itself", role)
		}
	}
}

func TestProbesAskWhatFirnAnswers(t *testing.T) {
	for role, pod := range render(t, "minimal").pods() {
		container := pod.Spec.Containers[0]
		for probe, expected := range map[*core.Probe]string{
			container.StartupProbe: "/healthz", container.LivenessProbe: "/healthz", container.ReadinessProbe: "/readyz",
		} {
			if probe.HTTPGet.Path != expected || probe.HTTPGet.Port.String() != "http" {
				t.Errorf("%s: %+v", role, probe.HTTPGet)
			}
		}
		if *pod.Spec.TerminationGracePeriodSeconds <= 30 {
			t.Errorf("%s is killed before its shutdown-timeout", role)
		}
	}
}

// There is one broker to a cell, and nobody can ask for more.
func TestThereIsOneBroker(t *testing.T) {
	if made := render(t, "full"); *made.broker.Spec.Replicas != 1 || made.broker.Spec.ServiceName != "cell-broker" {
		t.Errorf("%+v", made.broker.Spec)
	}
	refused(t, "broker.replicas=2", "additional properties 'replicas' not allowed")
}

func TestServicesAndPoliciesFindTheirPods(t *testing.T) {
	for _, values := range samples {
		made := render(t, values)
		pods := made.pods()
		for name, service := range made.services {
			if name == "cell-nothing" {
				if len(service.Spec.Selector) != 0 {
					t.Error("something is behind nothing")
				}
				continue
			}
			role := service.Labels["app.kubernetes.io/component"]
			found(t, name, labels.SelectorFromSet(service.Spec.Selector), pods, role)
			for _, port := range service.Spec.Ports {
				if !slices.ContainsFunc(pods[role].Spec.Containers[0].Ports, func(p core.ContainerPort) bool { return p.Name == port.TargetPort.String() }) {
					t.Errorf("%s: no port %s", name, port.TargetPort.String())
				}
			}
		}
		for _, one := range made.policies {
			found(t, one.Name, labels.SelectorFromSet(one.Spec.PodSelector.MatchLabels), pods, one.Labels["app.kubernetes.io/component"])
		}
		for _, one := range made.budgets {
			found(t, one.Name, labels.SelectorFromSet(one.Spec.Selector.MatchLabels), pods, one.Labels["app.kubernetes.io/component"])
		}
		found(t, "the StatefulSet", labels.SelectorFromSet(made.broker.Spec.Selector.MatchLabels), pods, "broker")
		found(t, "the Deployment", labels.SelectorFromSet(made.control.Spec.Selector.MatchLabels), pods, "control")
	}
}

// found checks that a selector finds the pods of one role, and not those of the other.
func found(t *testing.T, who string, selector labels.Selector, pods map[string]core.PodTemplateSpec, role string) {
	t.Helper()
	if selector.Empty() || pods[role].Labels == nil {
		t.Errorf("%s selects everything, or a role %q that is none", who, role)
	}
	for name, pod := range pods {
		if selector.Matches(labels.Set(pod.Labels)) != (name == role) {
			t.Errorf("%s: wrong about %s", who, name)
		}
	}
}

func TestTheInternalListenerIsTheControlPlanesAlone(t *testing.T) {
	made := render(t, "full")
	for _, one := range made.policies {
		for _, rule := range one.Spec.Ingress {
			port := only(t, "ports", rule.Ports).Port.String()
			if one.Name == "cell-broker" && port == "internal" {
				peer := only(t, "peers", rule.From)
				if peer.NamespaceSelector != nil || peer.PodSelector.MatchLabels["app.kubernetes.io/component"] != "control" {
					t.Errorf("%+v", peer)
				}
				return
			}
		}
	}
	t.Error("nobody may reach it")
}

func TestFiguresAreNotGivenToTheWorld(t *testing.T) {
	paths := only(t, "ingresses", render(t, "full").ingresses).Spec.Rules[0].HTTP.Paths
	backends := map[string]string{}
	for _, path := range paths {
		backends[path.Path] = path.Backend.Service.Name
	}
	if backends["/"] != "cell-control" || backends["/metrics"] != "cell-nothing" {
		t.Error(backends)
	}
}

// refused checks that the chart does not take a value, and says what is wrong.
func refused(t *testing.T, value, why string) {
	t.Helper()
	output, code := try(t, ".", nil, program(t, "FIRN_HELM"), "template", "cell", chart, "--kube-version", kubernetes,
		"--values", filepath.Join(chart, "ci", "full-values.yaml"), "--set-string", value)
	if code == 0 || !strings.Contains(output, why) {
		t.Errorf("%s: exit code %d, and %q is expected:\n%.600s", value, code, why, output)
	}
}

func TestWrongValuesAreRefused(t *testing.T) {
	for value, why := range map[string]string{
		"control.publicUrl=http://firn.example.com": "/control/publicUrl",
		"store.url=file:///data":                    "/store/url",
		"catalog.url=postgres://a:b@c/d":            "additional properties 'url' not allowed",
		"masterKey.existingSecret=":                 "/masterKey/existingSecret",
		"control.ingress.tlsSecret=":                "/control/ingress/tlsSecret",
		"broker.gcGrace=8":                          "/broker/gcGrace",
		"kafka.typo=x":                              "additional properties 'typo' not allowed",
		"image.digest=latest":                       "/image/digest",
	} {
		refused(t, value, why)
	}
	// What the chart sets itself cannot be set twice.
	for role, pod := range render(t, "full").pods() {
		for _, env := range pod.Spec.Containers[0].Env {
			setting := settingOf(t, env.Name)
			given := map[string][]string{"broker": {"hot-memory-bytes", "wal-linger"}, "control": {"api-requests-per-principal", "log-level"}}[role]
			if setting != "" && !slices.Contains(given, setting) {
				refused(t, role+".settings."+setting+"=x", "/"+role+"/settings")
			}
		}
	}
}
