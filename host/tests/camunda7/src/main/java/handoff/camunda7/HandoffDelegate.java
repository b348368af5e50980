package handoff.camunda7;

import java.util.Collections;
import java.util.Map;
import java.util.UUID;
import java.util.WeakHashMap;

import org.camunda.bpm.engine.delegate.BpmnError;
import org.camunda.bpm.engine.delegate.DelegateExecution;
import org.camunda.bpm.engine.delegate.ExecutionListener;
import org.camunda.bpm.engine.delegate.JavaDelegate;
import org.camunda.bpm.engine.impl.context.Context;
import org.camunda.bpm.engine.impl.interceptor.CommandContext;
import org.camunda.bpm.engine.impl.persistence.entity.JobEntity;

/** A delegate that a Handoff host runs, as a listener or as the behaviour of a service task. */
public class HandoffDelegate implements ExecutionListener, JavaDelegate {

    private static final String EXECUTE = "execute";

    /** The calls made in each command so far: a command may call the same delegate more than once. */
    private static final Map<CommandContext, Integer> CALLS = Collections.synchronizedMap(new WeakHashMap<>());

    private final String name;
    private final DelegatesClient client;
    private final Attempts attempts;

    HandoffDelegate(String name, DelegatesClient client, Attempts attempts) {
        this.name = name;
        this.client = client;
        this.attempts = attempts;
    }

    @Override
    public void notify(DelegateExecution execution) {
        call(execution, execution.getEventName());
    }

    @Override
    public void execute(DelegateExecution execution) {
        call(execution, EXECUTE);
    }

    private void call(DelegateExecution execution, String event) {
        CommandContext command = Context.getCommandContext();
        int ordinal = CALLS.merge(command, 1, Integer::sum);
        JobEntity job = command.getCurrentJob();
        if (job == null) {
            // Somebody waits for this command and is told of its failure: their next request is another invocation.
            answer(execution, client.call(name, execution, event, UUID.randomUUID().toString(), 1));
            return;
        }
        // A job keeps its id over its retries, and does the same in each of them.
        String invocation = UUID.nameUUIDFromBytes((job.getId() + '/' + ordinal).getBytes()).toString();
        int attempt = attempts.begin(invocation);
        DelegatesClient.Answer answer = client.call(name, execution, event, invocation, attempt);
        attempts.end(invocation);
        answer(execution, answer);
    }

    private static void answer(DelegateExecution execution, DelegatesClient.Answer answer) {
        execution.setVariables(answer.variables());
        execution.setVariablesLocal(answer.localVariables());
        if (answer.error() != null) {
            throw new BpmnError(answer.error().code(), answer.error().message());
        }
    }
}
