package yolov2tf.demo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.DialogInterface;
import android.content.Intent;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.net.Uri;
import android.os.Looper;
import android.widget.TextView;
import java.io.ByteArrayOutputStream;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.shadows.ShadowAlertDialog;
import org.robolectric.shadows.ShadowToast;
import yolov2tf.core.DetectionPainter;
import yolov2tf.core.Detections;

/** What "More…" lists: classes, saving, the benchmark. */
@RunWith(AppRunner.class)
public class MoreTest {
    private static final Uri TARGET = Uri.parse("content://documents/1");

    @Test
    public void onlyTheChosenClassesAreShown() throws Exception {
        try (App app = withPicture()) {
            Detections found = app.overlay().found();
            int label = found.label(0);
            String name = app.overlay().names().get(label);
            int of = 0;
            for (int i = 0; i < found.countAbove(0.25f); i++) {
                of += found.label(i) == label ? 1 : 0;
            }
            String everything = app.description();
            assertTrue("the picture has others", of < everything.split(",").length);

            chooseClass(app, label);
            assertEquals(of, app.description().split(",").length);
            assertTrue(app.description(), app.description().startsWith(name + " "));
            app.screenshot("one-class");
            assertEquals("all is kept", found.count(), app.overlay().found().count());

            app.recreate(); // it stays
            app.untilLookedAt();
            assertEquals(of, app.description().split(",").length);

            app.chooseMore(R.string.classes);
            ShadowAlertDialog.getLatestAlertDialog().getButton(DialogInterface.BUTTON_NEUTRAL)
                    .performClick();
            shadowOf(Looper.getMainLooper()).idle();
            assertEquals(everything, app.description());
        }
    }

    @Test
    public void aModelThatKnowsNoneOfTheClassesShowsAll() throws Exception {
        ClassFilter filter = new ClassFilter();
        android.os.Bundle state = new android.os.Bundle();
        state.putStringArrayList("classes.only",
                new java.util.ArrayList<>(java.util.Arrays.asList("cat")));
        filter.restore(state);
        assertArrayEquals(new boolean[] {false, true},
                filter.wanted(java.util.Arrays.asList("dog", "cat")));
        assertNull(filter.wanted(java.util.Arrays.asList("7", "8")));
    }

    @Test
    public void jsonIsSavedAsItIsShown() throws Exception {
        try (App app = withPicture()) {
            app.slide(40);
            Detections found = app.overlay().found();
            int count = found.countAbove(0.4f);
            assertTrue(count > 0);
            String json = new String(save(app, R.string.save_json, "application/json"), "UTF-8");
            JSONObject entry = new JSONArray(json).getJSONObject(0);
            assertEquals("detections.png", entry.getString("image"));
            JSONArray all = entry.getJSONArray("detections");
            assertEquals(count, all.length());
            List<String> names = app.overlay().names();
            for (int i = 0; i < count; i++) {
                JSONObject one = all.getJSONObject(i);
                assertEquals(names.get(found.label(i)), one.getString("label"));
                assertEquals(found.score(i), one.getDouble("score"), 1e-5);
                assertEquals(found.top(i), one.getJSONArray("box").getDouble(0), 1e-5);
                assertEquals(found.right(i), one.getJSONArray("box").getDouble(3), 1e-5);
            }
        }
    }

    @Test
    public void thePictureIsSavedWithItsBoxes() throws Exception {
        try (App app = withPicture()) {
            byte[] png = save(app, R.string.save_picture, "image/png");
            Bitmap drawn = BitmapFactory.decodeByteArray(png, 0, png.length);
            Detections found = app.overlay().found();
            assertEquals(found.pictureWidth(), drawn.getWidth());
            assertEquals(found.pictureHeight(), drawn.getHeight());
            int color = DetectionPainter.color(found.label(0));
            int hits = 0;
            int x = Math.round(found.left(0) * drawn.getWidth());
            for (int i = 1; i < 20; i++) { // down the best box's left side
                float y = found.top(0) + i / 20f * (found.bottom(0) - found.top(0));
                hits += drawn.getPixel(Math.min(x, drawn.getWidth() - 1),
                        (int) (y * drawn.getHeight())) == color ? 1 : 0;
            }
            assertTrue(hits + " of 19 points have its colour", hits > 14);
        }
    }

    @Test
    public void savingThatFailsOrHasNothingSaysSo() throws Exception {
        try (App app = App.start()) {
            app.chooseMore(R.string.save_json);
            assertEquals("There is nothing to save yet.", ShadowToast.getTextOfLatestToast());
            app.pick(Provider.of(Golden.named("digits/picture-landscape").png()));
            app.untilLookedAt();
            shadowOf(RuntimeEnvironment.getApplication().getContentResolver())
                    .registerOutputStreamSupplier(TARGET, () -> {
                        throw new SecurityException("the card is full");
                    });
            answer(app, R.string.save_json, TARGET);
            App.until("it says so", () -> "It was not saved: the card is full"
                    .equals(ShadowToast.getTextOfLatestToast()));
            ShadowToast.reset();
            answer(app, R.string.save_picture, null); // the question was closed
            App.settle();
            assertNull(ShadowToast.getTextOfLatestToast());
        }
    }

    @Test
    public void theBenchmarkTimesAllThatCanRunTheModel() throws Exception {
        try (App app = App.start()) {
            app.chooseModel("starter.tflite");
            app.chooseMore(R.string.benchmark);
            Intent intent = shadowOf(app.activity()).getNextStartedActivity();
            while (!BenchmarkActivity.class.getName().equals(
                    intent.getComponent() == null ? "" : intent.getComponent().getClassName())) {
                intent = shadowOf(app.activity()).getNextStartedActivity();
            }
            app.controller().pause();
            ActivityController<BenchmarkActivity> screen =
                    Robolectric.buildActivity(BenchmarkActivity.class, intent).setup();
            Activity benchmark = screen.get();
            TextView state = benchmark.findViewById(R.id.benchmark_state);
            App.until("it is measured", () -> benchmark.findViewById(R.id.benchmark_share)
                    .isEnabled());
            assertEquals("The times are of the network alone.", state.getText().toString());
            String report = benchmark.<TextView>findViewById(R.id.benchmark_report).getText()
                    .toString();
            String[] lines = report.split("\n");
            assertEquals(report, 2 + Accelerator.values().length, lines.length);
            assertTrue(report, lines[0].contains("320 px, int8"));
            assertEquals("GPU: no such delegate", lines[2]);
            for (int i = 3; i < lines.length; i++) {
                assertTrue(report, lines[i].matches(
                        "CPU, \\d threads?: median \\d+\\.\\d, p95 \\d+\\.\\d ms"));
            }
            App.screenshot(benchmark, "benchmark");

            benchmark.findViewById(R.id.benchmark_share).performClick();
            Intent shared = shadowOf(benchmark).getNextStartedActivity()
                    .getParcelableExtra(Intent.EXTRA_INTENT, Intent.class);
            assertEquals(report, shared.getStringExtra(Intent.EXTRA_TEXT));
            screen.pause().stop().destroy();
            App.until("it is closed", () -> App.application().open.get() == 0);
            app.controller().resume();
            app.untilLoaded();
        }
    }

    // === Help ===

    private static App withPicture() throws Exception {
        App app = App.start();
        app.chooseModel("digits.tflite");
        app.pick(Provider.of(Golden.named("digits/picture-landscape").png()));
        app.untilLookedAt();
        return app;
    }

    private static void chooseClass(App app, int label) {
        app.chooseMore(R.string.classes);
        AlertDialog dialog = ShadowAlertDialog.getLatestAlertDialog();
        shadowOf(dialog).clickOnItem(label);
        dialog.getButton(DialogInterface.BUTTON_POSITIVE).performClick();
        shadowOf(Looper.getMainLooper()).idle();
    }

    /** Saves, as a person does, and returns what was written. */
    private static byte[] save(App app, int what, String type) throws Exception {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        shadowOf(RuntimeEnvironment.getApplication().getContentResolver())
                .registerOutputStreamSupplier(TARGET, () -> written);
        assertEquals(type, answer(app, what, TARGET).getType());
        App.until("it is saved", () -> "Saved".equals(ShadowToast.getTextOfLatestToast()));
        return written.toByteArray();
    }

    private static Intent answer(App app, int what, Uri target) {
        app.chooseMore(what);
        Intent asked = shadowOf(app.activity()).getNextStartedActivityForResult().intent;
        while (!Intent.ACTION_CREATE_DOCUMENT.equals(asked.getAction())) {
            asked = shadowOf(app.activity()).getNextStartedActivityForResult().intent;
        }
        app.controller().pause();
        shadowOf(app.activity()).receiveResult(asked,
                target == null ? Activity.RESULT_CANCELED : Activity.RESULT_OK,
                target == null ? null : new Intent().setData(target));
        app.controller().resume();
        return asked;
    }
}
