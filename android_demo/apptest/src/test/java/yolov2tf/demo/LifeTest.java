package yolov2tf.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.content.pm.PackageManager;
import android.widget.SeekBar;
import android.widget.Spinner;
import org.junit.After;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RuntimeEnvironment;

/** What goes and what stays when Android ends the activity, turns it, or puts it aside. */
@RunWith(AppRunner.class)
public class LifeTest {
    @After
    public void usualFont() {
        RuntimeEnvironment.setFontScale(1);
    }

    @Test
    public void choicesAndPictureSurviveDarkModeLargeFontsAndAnotherLanguage() throws Exception {
        Golden golden = Golden.named("letterbox-all-none/picture-landscape");
        try (App app = App.start()) {
            app.chooseModel(golden.model());
            app.choose(Accelerator.CPU_1);
            app.slide(60);
            app.pick(Provider.of(golden.png()));
            app.untilLookedAt();
            String words = app.description();
            for (String change : new String[] {"+night", "font", "+ar-rXB", "+fr", "+land"}) {
                if (change.equals("font")) {
                    RuntimeEnvironment.setFontScale(2);
                } else {
                    RuntimeEnvironment.setQualifiers(change);
                }
                app.recreate();
                app.untilLookedAt();
                assertEquals(golden.model(), app.<Spinner>view(R.id.models).getSelectedItem());
                assertEquals("CPU, 1 thread",
                        app.<Spinner>view(R.id.accelerators).getSelectedItem());
                assertEquals(60, app.<SeekBar>view(R.id.threshold).getProgress());
                assertTrue(app.text(R.id.times), app.text(R.id.times).startsWith("CPU × 1"));
                golden.compare(app.overlay().found());
                int count = app.overlay().found().countAbove(0.6f);
                assertEquals(words.split("%").length, app.description().split("%|٪").length);
                assertTrue(count > 0);
                app.screenshot("after-" + change.replace("+", ""));
            }
        }
    }

    @Test
    public void aTurnedScreenKeepsTheActivityAndThePicture() throws Exception {
        Golden golden = Golden.named("digits/picture-landscape");
        try (App app = App.start()) {
            app.chooseModel(golden.model());
            app.pick(Provider.of(golden.png()));
            app.untilLookedAt();
            app.configure("+land");
            golden.compare(app.overlay().found());
            Boxes.assertDrawn(app, app.screenshot("landscape"), false);
        }
    }

    @Test
    public void twentyFivePausesLeaveNothingBehind() throws Exception {
        Golden golden = Golden.named("digits/picture-landscape");
        try (App app = App.start()) {
            app.chooseModel(golden.model());
            app.pick(Provider.of(golden.png()));
            app.untilLookedAt();
            for (int i = 0; i < 25; i++) {
                app.controller().pause();
                app.controller().resume();
            }
            app.untilLookedAt();
            golden.compare(app.overlay().found());
            App.until("networks of before are closed", () -> App.application().open.get() == 1
                    && Threads.count("network") == 1 && !Threads.run("picture"));
        }
        App.until("the last thread ends", () -> !Threads.run("network"));
    }

    @Test
    public void anAnsweredQuestionIsNotAskedAgain() throws Exception {
        try (App app = App.start()) {
            app.answer(PackageManager.PERMISSION_DENIED);
            app.recreate();
            assertNull(shadowOf(app.activity()).getLastRequestedPermission());
            assertTrue(app.notice(), app.notice().startsWith("Without the permission"));
        }
    }
}
