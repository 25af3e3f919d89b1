package yolov2tf.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotSame;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.content.Intent;
import android.graphics.Bitmap;
import android.os.Bundle;
import android.os.Looper;
import android.view.View;
import android.widget.ProgressBar;
import android.widget.TextView;
import java.io.FileNotFoundException;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.shadows.ShadowActivity;
import yolov2tf.core.Detections;

/** Videos of every kind of provider: drawn, ended, cancelled, gone on with. */
@RunWith(AppRunner.class)
public class VideoTest {
    private static final String FAILED = "The video cannot be played: ";

    private ActivityController<VideoActivity> screen;

    @After
    public void close() throws Exception {
        screen.pause().stop().destroy();
        App.until("the network is closed", () -> App.application().open.get() == 0
                && !Threads.run("video"));
    }

    @Test
    public void theMenuOpensItForWhatIsChosen() throws Exception {
        try (App app = App.start()) {
            app.chooseModel("digits.tflite");
            app.slide(40);
            app.chooseMore(R.string.video);
            Intent intent = shadowOf(app.activity()).getNextStartedActivity();
            while (intent.getComponent() == null || !VideoActivity.class.getName().equals(
                    intent.getComponent().getClassName())) {
                intent = shadowOf(app.activity()).getNextStartedActivity();
            }
            app.controller().pause();
            screen = Robolectric.buildActivity(VideoActivity.class, intent).setup();
            Golden golden = golden();
            VideoProvider.give(VideoShadow.video(501, golden.png()));
            pick();
            untilEnded();
            golden.compare(overlay().found());
            assertEquals("the threshold is the same", 0.4f,
                    intent.getFloatExtra("threshold", 0), 1e-6f);
            app.controller().resume();
            app.untilLoaded();
        }
    }

    @Test
    public void everyFrameHasPythonsBoxesAndItsTime() throws Exception {
        byte[] png = golden().png();
        byte[] other = Golden.compressed(
                Golden.turned(golden().bitmap(), 180, false), Bitmap.CompressFormat.PNG);
        VideoProvider.give(VideoShadow.video(501, other, other, new byte[0], png));
        start();
        int before = App.application().runs.get();
        pick();
        assertEquals("Opening the video…", text(R.id.video_state));
        untilEnded();
        golden().compare(overlay().found());
        assertEquals("0:00.3 of 0:00.4", text(R.id.video_state));
        assertTrue(text(R.id.video_times), text(R.id.video_times)
                .matches("CPU, 4 threads · image \\d+[.,]\\d ms · network \\d+[.,]\\d ms"));
        // One to try the model, and one for each frame but the damaged one.
        assertEquals(1 + 3, App.application().runs.get() - before);
        assertNotSame(Looper.getMainLooper().getThread(), VideoShadow.thread);
        assertTrue(overlay().getContentDescription().toString().contains(" × "));
        App.screenshot(screen.get(), "video");
        assertEquals("Again", text(R.id.video_go));
        click(R.id.video_go);
        untilEnded();
        assertEquals(2 * (1 + 3), App.application().runs.get() - before);
    }

    @Test
    public void progressIsShownAndCancelStops() throws Exception {
        byte[][] frames = new byte[600][];
        Arrays.fill(frames, golden().png());
        VideoProvider.give(VideoShadow.video(501, frames));
        start();
        pick();
        App.until("it is under way", () -> text(R.id.video_state).compareTo("0:00.2") > 0
                && text(R.id.video_state).endsWith(" of 1:00.0"));
        ProgressBar bar = screen.get().findViewById(R.id.video_bar);
        App.until("the bar moves", () -> bar.getProgress() > 0);
        assertEquals(View.VISIBLE, bar.getVisibility());
        assertEquals("Cancel", text(R.id.video_go));
        App.screenshot(screen.get(), "video-running");
        click(R.id.video_go);
        String stopped = text(R.id.video_state);
        App.until("its thread ends", () -> !Threads.run("video")
                && App.application().open.get() == 0);
        App.settle();
        assertEquals(stopped, text(R.id.video_state));
        assertEquals("Again", text(R.id.video_go));
        assertEquals(View.INVISIBLE, bar.getVisibility());
    }

    @Test
    public void itGoesOnWhereItWasAfterBeingMadeAnew() throws Exception {
        byte[][] frames = new byte[600][];
        Arrays.fill(frames, golden().png());
        VideoProvider.give(VideoShadow.video(501, frames));
        start();
        pick();
        App.until("it is under way", () -> text(R.id.video_state).compareTo("0:00.5") > 0
                && text(R.id.video_state).endsWith(" of 1:00.0"));
        recreate();
        assertEquals("Cancel", text(R.id.video_go));
        App.until("it goes on", () -> text(R.id.video_state).endsWith(" of 1:00.0"));
        assertTrue(text(R.id.video_state), text(R.id.video_state).compareTo("0:00.4") > 0);
        golden().compare(overlay().found());
        click(R.id.video_go);
        String stopped = text(R.id.video_state);
        recreate(); // one that was cancelled stays so, with its frame
        App.until("its frame is there", () -> text(R.id.video_state).equals(stopped)
                && text(R.id.video_go).equals("Again"));
        golden().compare(overlay().found());
        App.until("its thread ends", () -> !Threads.run("video"));
    }

    @Test
    public void nothingRunsWhileAnotherAppIsInFront() throws Exception {
        byte[][] frames = new byte[600][];
        Arrays.fill(frames, golden().png());
        VideoProvider.give(VideoShadow.video(501, frames));
        start();
        pick();
        App.until("it is under way", () -> text(R.id.video_state).endsWith(" of 1:00.0"));
        screen.pause().stop();
        App.until("its thread ends", () -> !Threads.run("video")
                && App.application().open.get() == 0);
        String was = text(R.id.video_state);
        screen.restart().start().resume();
        App.until("it goes on", () -> text(R.id.video_state).compareTo(was) > 0);
    }

    @Test
    public void whateverAProviderThrowsEndsInAMessage() throws Exception {
        start();
        fails(() -> {
            throw new SecurityException("no");
        }, "does not hand it out");
        fails(() -> {
            throw new FileNotFoundException("/x");
        }, "not there any more");
        fails(() -> {
            throw new IllegalStateException("provider died");
        }, "provider died");
        fails(() -> {
            throw new NullPointerException();
        }, "NullPointerException");
        fails(() -> {
            throw new OutOfMemoryError();
        }, "too large");
        fails(() -> null, "not there any more");
        App.screenshot(screen.get(), "video-broken");
        VideoProvider.give("Hello".getBytes("UTF-8"));
        failsPicked("it is no video that Android can read");
        VideoProvider.give(VideoShadow.video(0, golden().png())); // sound alone
        failsPicked("it is no video that Android knows");
        VideoProvider.give(VideoShadow.video(501));
        failsPicked("it is no video that Android knows");
        VideoProvider.give(VideoShadow.video(501, new byte[0], new byte[0]));
        failsPicked("none of its frames can be decoded");
        recreate(); // the message stays
        assertTrue(text(R.id.video_state), text(R.id.video_state).startsWith(FAILED));
        VideoProvider.give(VideoShadow.video(501, golden().png())); // and it goes on
        pick();
        untilEnded();
        golden().compare(overlay().found());
    }

    @Test
    public void aProviderThatDoesNotAnswerCanBeCancelled() throws Exception {
        CountDownLatch told = new CountDownLatch(1);
        VideoProvider.give(() -> {
            told.await(1, TimeUnit.MINUTES);
            throw new SecurityException();
        });
        start();
        pick();
        App.settle();
        click(R.id.video_go);
        assertEquals("Again", text(R.id.video_go));
        told.countDown();
        App.until("its thread ends", () -> !Threads.run("video"));
        App.settle();
        assertFalse(text(R.id.video_state).startsWith(FAILED)); // nobody hears of it
    }

    @Test
    public void largeFramesAreMadeSmaller() throws Exception {
        byte[] large = Golden.compressed(Bitmap.createScaledBitmap(
                golden().bitmap(), 3840, 2160, true), Bitmap.CompressFormat.PNG);
        VideoProvider.give(VideoShadow.video(3840, large));
        start();
        pick();
        untilEnded();
        Detections found = overlay().found();
        assertEquals(1920, found.pictureWidth());
        assertEquals(1080, found.pictureHeight());
    }

    @Test
    public void withoutAVideoTheScreenCloses() throws Exception {
        start();
        ShadowActivity shadow = shadowOf(screen.get());
        Intent chooser = shadow.getNextStartedActivityForResult().intent;
        Intent asked = chooser.getParcelableExtra(Intent.EXTRA_INTENT, Intent.class);
        assertEquals("video/*", asked.getType());
        shadow.receiveResult(chooser, Activity.RESULT_CANCELED, null);
        assertTrue(screen.get().isFinishing());
    }

    // === Help ===

    private static Golden golden() throws Exception {
        return Golden.named("digits/picture-landscape");
    }

    private void start() {
        screen = Robolectric.buildActivity(VideoActivity.class, VideoActivity.of(
                RuntimeEnvironment.getApplication(), "digits.tflite", Accelerator.CPU_4, 0.25f,
                new ClassFilter())).setup();
    }

    /** Picks what the provider gives, as a person does. */
    private void pick() {
        ShadowActivity shadow = shadowOf(screen.get());
        ShadowActivity.IntentForResult asked = shadow.getNextStartedActivityForResult();
        if (asked == null) {
            click(R.id.video_pick);
            asked = shadow.getNextStartedActivityForResult();
        }
        screen.pause();
        shadow.receiveResult(asked.intent, Activity.RESULT_OK,
                new Intent().setData(VideoProvider.VIDEO));
        screen.resume();
    }

    private void untilEnded() throws Exception {
        App.until("it ends", () -> text(R.id.video_go).equals("Again"));
        assertFalse(text(R.id.video_state), text(R.id.video_state).startsWith(FAILED));
    }

    private void fails(VideoProvider.Opening opening, String why) throws Exception {
        VideoProvider.give(opening);
        failsPicked(why);
    }

    private void failsPicked(String why) throws Exception {
        pick();
        App.until("it failed: " + why, () -> text(R.id.video_state).startsWith(FAILED)
                && text(R.id.video_state).contains(why));
        assertEquals("Again", text(R.id.video_go));
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_POLITE,
                screen.get().findViewById(R.id.video_state).getAccessibilityLiveRegion());
    }

    private void recreate() {
        Bundle state = new Bundle();
        Intent intent = screen.get().getIntent();
        screen.pause().stop().saveInstanceState(state).destroy();
        screen = Robolectric.buildActivity(VideoActivity.class, intent).setup(state);
    }

    private OverlayView overlay() {
        return screen.get().findViewById(R.id.overlay);
    }

    private String text(int id) {
        return screen.get().<TextView>findViewById(id).getText().toString();
    }

    private void click(int id) {
        screen.get().findViewById(id).performClick();
        shadowOf(Looper.getMainLooper()).idle();
    }
}
