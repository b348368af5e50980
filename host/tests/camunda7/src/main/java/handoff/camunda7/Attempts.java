package handoff.camunda7;

import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Counts the attempts of each invocation, over crashes too.
 *
 * <p>Camunda counts a job's retries down when it failed, so an attempt whose process died, or whose commit failed, is not
 * among them; and just that one may have had its effect elsewhere. So each attempt is written down in a transaction of
 * its own before the call is made. The row goes in the engine's own transaction: when that is committed, nobody will
 * ever ask for it again.
 *
 * <p>The transaction of its own needs a second connection while the job holds one: the pool must be larger than the job
 * executor's (camunda.bpm.job-execution.max-pool-size).
 */
@Component
class Attempts {

    private final JdbcTemplate database;
    private final TransactionTemplate apart;

    Attempts(JdbcTemplate database, PlatformTransactionManager transactions) {
        this.database = database;
        this.apart = new TransactionTemplate(transactions);
        this.apart.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        database.execute(
            "create table if not exists handoff_attempts (invocation varchar(36) primary key, attempts int not null)");
    }

    /** The number of the attempt that begins now, from 1. */
    int begin(String invocation) {
        Integer attempt = apart.execute(status -> {
            String next = "update handoff_attempts set attempts = attempts + 1 where invocation = ?";
            if (database.update(next, invocation) == 0) {
                database.update("insert into handoff_attempts (invocation, attempts) values (?, 1)", invocation);
            }
            String now = "select attempts from handoff_attempts where invocation = ?";
            return database.queryForObject(now, Integer.class, invocation);
        });
        return attempt == null ? 1 : attempt;
    }

    /** The invocation has ended, if the engine's transaction is committed. */
    void end(String invocation) {
        database.update("delete from handoff_attempts where invocation = ?", invocation);
    }
}
