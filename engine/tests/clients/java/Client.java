import java.util.Date;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.camunda.bpm.client.ExternalTaskClient;
import org.camunda.bpm.client.task.ExternalTask;
import org.camunda.bpm.client.task.ExternalTaskService;
import org.camunda.bpm.client.variable.ClientValues;
import org.camunda.bpm.client.variable.value.JsonValue;
import org.camunda.bpm.engine.variable.Variables;

/** The official Java client, unchanged: does with each task what its variable `do` says, until so many are done. */
public final class Client {
  private static final Set<String> UNLOCKED = new HashSet<>();

  public static void main(String[] arguments) throws Exception {
    CountDownLatch left = new CountDownLatch(Integer.parseInt(arguments[1]));
    ExternalTaskClient client = ExternalTaskClient.create()
        .baseUrl(arguments[0])
        .workerId("java")
        .asyncResponseTimeout(2000)
        .maxTasks(10)
        .build();
    client.subscribe("official").lockDuration(60000).handler((task, service) -> {
      try {
        if (handle(task, service)) {
          left.countDown();
        }
      } catch (Throwable wrong) {
        wrong.printStackTrace();
        Runtime.getRuntime().halt(1);
      }
    }).open();
    boolean done = left.await(50, TimeUnit.SECONDS);
    Runtime.getRuntime().halt(done ? 0 : 2);
  }

  /** Whether the task is done with. */
  private static boolean handle(ExternalTask task, ExternalTaskService service) {
    switch ((String) task.getVariable("do")) {
      case "complete" -> {
        must(task.getVariable("int").equals(42), "int");
        must(task.getVariable("text").equals("é漢"), "text");
        must(task.getVariable("flag").equals(true), "flag");
        must(task.getVariable("double").equals(1.5), "double");
        JsonValue json = task.getVariableTyped("json");
        must(json.getValue().equals("{\"a\": [1, 2]}"), "json");
        must(task.getVariable("date").equals(new Date(1769847330123L)), "date");
        Map<String, Object> out = Variables.createVariables()
            .putValue("outInt", 43)
            .putValue("outText", "ü")
            .putValue("outFlag", false)
            .putValue("outDouble", 2.5)
            .putValueTyped("outJson", ClientValues.jsonValue("{\"b\":1}"))
            .putValue("outDate", new Date(1769847330123L));
        service.complete(task, out, Map.of("local", 1));
      }
      case "fail" -> service.handleFailure(task, "no", "why", 3, 600000);
      case "error" -> service.handleBpmnError(task, "oops", "why", Map.of("outText", "ü"));
      case "extend" -> service.extendLock(task, 1200000);
      case "unlock" -> {
        if (UNLOCKED.add(task.getId())) {
          service.unlock(task);
          return false;
        }
        service.complete(task);
      }
      default -> throw new IllegalStateException();
    }
    return true;
  }

  private static void must(boolean right, String what) {
    if (!right) {
      throw new IllegalStateException("wrong: " + what);
    }
  }
}
