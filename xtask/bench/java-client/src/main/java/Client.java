import java.util.HashMap;
import java.util.Map;
import org.camunda.bpm.client.ExternalTaskClient;

/**
 * The official Java client, doing what workers/echo does: {@code java -jar client.jar URL}. It runs until it is killed.
 * It handles the tasks of a fetch one after another on one thread, as it does everywhere; it asks for as many as the
 * host has slots, and does not back off.
 */
public final class Client {
  public static void main(String[] args) throws InterruptedException {
    ExternalTaskClient client =
        ExternalTaskClient.create()
            .baseUrl(args[0])
            .workerId("java-client")
            .maxTasks(64)
            .asyncResponseTimeout(10_000)
            .disableBackoffStrategy()
            .build();
    client
        .subscribe("c7bench")
        .handler(
            (task, service) -> {
              Map<String, Object> variables = new HashMap<>();
              variables.put("done", true);
              variables.put("orderId", task.getVariable("orderId"));
              service.complete(task, variables);
            })
        .open();
    Thread.currentThread().join();
  }
}
