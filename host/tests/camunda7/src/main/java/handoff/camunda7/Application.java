package handoff.camunda7;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

/** Camunda 7 with its REST API below /engine-rest. */
@SpringBootApplication
@ConfigurationPropertiesScan
public class Application {

    /** The process id of whoever needs this engine: it ends with them, so that no test leaves an engine behind. */
    private static final String PARENT = "handoff.parent";

    public static void main(String[] arguments) {
        String parent = System.getProperty(PARENT);
        if (parent != null) {
            ProcessHandle.of(Long.parseLong(parent))
                .ifPresentOrElse(process -> process.onExit().thenRun(() -> Runtime.getRuntime().halt(0)),
                    () -> Runtime.getRuntime().halt(0));
        }
        SpringApplication.run(Application.class, arguments);
    }
}
