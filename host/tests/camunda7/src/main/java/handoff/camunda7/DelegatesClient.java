package handoff.camunda7;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

import org.camunda.bpm.engine.ProcessEngine;
import org.camunda.bpm.engine.ProcessEngineException;
import org.camunda.bpm.engine.delegate.DelegateExecution;
import org.camunda.bpm.engine.rest.dto.VariableValueDto;
import org.camunda.bpm.engine.rest.mapper.JacksonConfigurator;
import org.camunda.bpm.model.bpmn.instance.FlowElement;
import org.camunda.bpm.model.bpmn.instance.camunda.CamundaProperties;
import org.camunda.bpm.model.bpmn.instance.camunda.CamundaProperty;
import org.springframework.stereotype.Component;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.core.type.TypeReference;

/** Speaks version 1 of the delegates' protocol. What goes wrong is an exception, which rolls the transaction back. */
@Component
public class DelegatesClient {

    private static final int VERSION = 1;
    private static final int FULL = 429;
    private static final Duration FULL_PAUSE = Duration.ofMillis(100);

    /** What the host answered. */
    record Answer(Map<String, Object> variables, Map<String, Object> localVariables, Error error) {
    }

    /** A BPMN error. */
    record Error(String code, String message) {
    }

    private final DelegatesProperties properties;
    private final HttpClient http;
    /** With the dates of Camunda's REST API. */
    private final ObjectMapper json = JacksonConfigurator.configureObjectMapper(new ObjectMapper());

    DelegatesClient(DelegatesProperties properties) {
        this.properties = properties;
        this.http = HttpClient.newBuilder().connectTimeout(properties.timeout()).build();
    }

    /** Calls a delegate, and again while the host has no slot for it. */
    Answer call(String name, DelegateExecution execution, String event, String invocation, int attempt) {
        Instant deadline = Instant.now().plus(properties.timeout());
        try {
            Map<String, Object> request = request(execution, event, invocation, attempt);
            while (true) {
                Duration left = Duration.between(Instant.now(), deadline);
                if (left.isNegative() || left.isZero()) {
                    throw new ProcessEngineException("Delegate '" + name + "': no slot was free in time");
                }
                request.put("deadlineMs", left.toMillis());
                HttpResponse<byte[]> response = http.send(http(name, request, left), HttpResponse.BodyHandlers.ofByteArray());
                switch (response.statusCode()) {
                    case 200:
                        return answer(response.body(), execution.getProcessEngine());
                    case FULL:
                        Thread.sleep(FULL_PAUSE.toMillis());
                        break;
                    default:
                        throw new ProcessEngineException("Delegate '" + name + "' answered " + response.statusCode()
                            + ": " + message(response.body()));
                }
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new ProcessEngineException("Delegate '" + name + "' was interrupted", interrupted);
        } catch (IOException failure) {
            throw new ProcessEngineException("Delegate '" + name + "' cannot be called: " + failure, failure);
        }
    }

    private Map<String, Object> request(DelegateExecution execution, String event, String invocation, int attempt) {
        String definition = execution.getProcessDefinitionId();
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("version", VERSION);
        request.put("engine", properties.engine());
        request.put("invocationId", invocation);
        request.put("attempt", attempt);
        request.put("event", event);
        request.put("activityId", execution.getCurrentActivityId());
        request.put("activityName", execution.getCurrentActivityName());
        request.put("transitionId", event.equals("take") ? execution.getCurrentTransitionId() : null);
        request.put("processInstanceId", execution.getProcessInstanceId());
        request.put("processDefinitionId", definition);
        request.put("processDefinitionKey", execution.getProcessEngineServices().getRepositoryService()
            .getProcessDefinition(definition).getKey());
        request.put("executionId", execution.getId());
        request.put("businessKey", execution.getProcessBusinessKey());
        request.put("tenantId", execution.getTenantId());
        request.put("extensionProperties", extensionProperties(execution));
        request.put("variables", VariableValueDto.fromMap(execution.getVariablesTyped(false), true));
        return request;
    }

    /** The activity's or transition's own camunda:properties. */
    private static Map<String, String> extensionProperties(DelegateExecution execution) {
        Map<String, String> properties = new LinkedHashMap<>();
        FlowElement element = execution.getBpmnModelElementInstance();
        if (element == null || element.getExtensionElements() == null) {
            return properties;
        }
        for (CamundaProperties list : element.getExtensionElements().getElementsQuery()
                .filterByType(CamundaProperties.class).list()) {
            for (CamundaProperty property : list.getCamundaProperties()) {
                if (property.getCamundaName() != null) {
                    properties.put(property.getCamundaName(), property.getCamundaValue());
                }
            }
        }
        return properties;
    }

    private HttpRequest http(String name, Map<String, Object> request, Duration left) throws IOException {
        String path = "/delegates/" + URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
        HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(properties.url() + path))
            .timeout(left)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(json.writeValueAsBytes(request)));
        if (properties.tokenFile() != null) {
            builder.header("Authorization", "Bearer " + Files.readString(properties.tokenFile()).trim());
        }
        return builder.build();
    }

    private Answer answer(byte[] body, ProcessEngine engine) throws IOException {
        JsonNode answer = json.readTree(body);
        if (answer.path("version").asInt() != VERSION) {
            throw new ProcessEngineException("the host's answer is of version " + answer.path("version"));
        }
        JsonNode error = answer.path("bpmnError");
        if (error.isObject()) {
            String message = error.path("message").isTextual() ? error.path("message").asText() : null;
            return new Answer(variables(error.path("variables"), engine), Map.of(),
                new Error(error.path("code").asText(), message));
        }
        return new Answer(variables(answer.path("variables"), engine), variables(answer.path("localVariables"), engine), null);
    }

    private Map<String, Object> variables(JsonNode variables, ProcessEngine engine) {
        if (!variables.isObject()) {
            return Map.of();
        }
        Map<String, VariableValueDto> typed = json.convertValue(variables, new TypeReference<>() { });
        return VariableValueDto.toMap(typed, engine, json);
    }

    /** What a refusal says: its message, or whatever it is. */
    private String message(byte[] body) {
        try {
            JsonNode message = json.readTree(body).path("message");
            if (message.isTextual()) {
                return message.asText();
            }
        } catch (IOException noJson) {
            // Then it is told as it is.
        }
        return new String(body, StandardCharsets.UTF_8);
    }
}
