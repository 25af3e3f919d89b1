package androidx.test.runner.intent;

import android.app.Instrumentation.ActivityResult;
import android.content.Intent;

/** Answers intents in place of other apps. Nobody does here. */
public interface IntentStubber {
    ActivityResult getActivityResultForIntent(Intent intent);
}
