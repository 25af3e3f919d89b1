package yolov2tf.demo;

import android.app.Activity;
import android.content.Context;
import android.content.Intent;
import android.content.res.Configuration;
import android.hardware.display.DisplayManager;
import android.media.Image;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.view.SurfaceView;
import android.view.ViewGroup;
import android.view.WindowManager;
import android.widget.LinearLayout;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import yolov2tf.core.Detections;
import yolov2tf.core.FirstThatWorks;
import yolov2tf.core.ModelFile;

/**
 * Shows what the network finds, in what the camera sees or in a picked picture.
 *
 * <p>Camera and network live from resume to pause. Whatever may start the camera (resuming, the
 * permission, a surface of the right size, a camera that comes back) calls {@link #startCamera},
 * which looks whether all of it is there. What has to be said follows from what is the matter:
 * {@link #tell}.
 */
public final class MainActivity extends Activity implements DisplayManager.DisplayListener,
        Controls.Listener, PictureSource.Listener {
    private static final int ASK_CAMERA = 1;
    private static final int PICK_PICTURE = 2;
    private static final String CAMERA = "camera";

    private OverlayView overlay;
    private Notice notice;
    private Controls controls;
    private CameraPermission permission;

    private LiveCamera camera;
    private PictureSource pictures;
    private Analyzer analyzer; // these three are null while paused
    private Results results;
    private Frames frames;
    private boolean resumed;
    private final Handler screen = new Handler(Looper.getMainLooper());

    // What is the matter; null for nothing.
    private String modelTrouble;
    private String cameraTrouble;
    private String pictureTrouble;

    // === Lifecycle ===

    @Override
    @SuppressWarnings("deprecation") // getDisplay() came with API 30
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.main);
        getWindow().addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        overlay = findViewById(R.id.overlay);
        notice = new Notice(findViewById(R.id.notice));
        permission = new CameraPermission(this, ASK_CAMERA, state);
        camera = new LiveCamera(this, getWindowManager().getDefaultDisplay(),
                findViewById(R.id.preview),
                this.<SurfaceView>findViewById(R.id.camera).getHolder(), this::startCamera);
        controls = new Controls(findViewById(R.id.panel), modelNames(),
                runtime().accelerators(), state, this);
        overlay.setThreshold(controls.threshold());
        pictures = new PictureSource(this, this);
        if (state != null) {
            camera.choose(state.getInt(CAMERA));
            pictures.restore(state);
        }
        arrange();
    }

    @Override
    protected void onResume() {
        super.onResume();
        resumed = true;
        cameraTrouble = null;
        displays().registerDisplayListener(this, screen);
        results = new Results();
        analyzer = new Analyzer(new ModelAssets(getAssets()), runtime(), results);
        if (controls.hasModels()) {
            loadModel();
            camera.watch();
            startCamera();
        } else {
            modelTrouble = getString(R.string.no_models);
        }
        tell();
    }

    @Override
    protected void onPause() {
        resumed = false;
        displays().unregisterDisplayListener(this);
        camera.unwatch();
        camera.stop();
        analyzer.close();
        analyzer = null;
        results = null;
        frames = null;
        super.onPause();
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        controls.save(state);
        permission.save(state);
        pictures.save(state);
        state.putInt(CAMERA, camera.chosen());
    }

    @Override
    protected void onDestroy() {
        pictures.end(isFinishing());
        super.onDestroy();
    }

    @Override
    public void onConfigurationChanged(Configuration configuration) {
        super.onConfigurationChanged(configuration);
        arrange();
        camera.turn();
    }

    /** From a picture to the camera, then out. */
    @Override
    @SuppressWarnings("deprecation") // its successor came with API 33
    public void onBackPressed() {
        if (pictures.isOpening() || pictures.shown() != null) {
            pictures.close();
        } else {
            super.onBackPressed();
        }
    }

    private NetworkRuntime runtime() {
        return ((DemoApplication) getApplication()).runtime();
    }

    // === Camera ===

    /** Starts the camera if everything that it needs is there; else says what is missing. */
    private void startCamera() {
        if (!resumed || camera.runs() || pictures.takesTheStage() || !controls.hasModels()) {
            return;
        }
        if (!permission.granted()) {
            if (!permission.asked()) {
                permission.ask();
            }
            tell();
            return;
        }
        int count = camera.find();
        controls.setCameras(count);
        cameraTrouble = count == 0 ? getString(R.string.no_camera) : null;
        if (count > 0) {
            overlay.setMirrored(camera.mirrored());
            frames = new Frames(analyzer);
            camera.start(frames);
        }
        tell();
    }

    @Override
    public void onRequestPermissionsResult(int request, String[] permissions, int[] answers) {
        permission.answered(answers);
        startCamera(); // onResume may have come before the answer, or comes after it
        tell();
    }

    @Override
    public void onOtherCamera() {
        camera.stop();
        camera.next();
        overlay.clear();
        startCamera();
    }

    // === The screen ===

    /** Puts the controls below the preview, or beside it where the screen is wide. */
    private void arrange() {
        Configuration now = getResources().getConfiguration();
        boolean wide = now.orientation == Configuration.ORIENTATION_LANDSCAPE;
        LinearLayout root = findViewById(R.id.root);
        root.setOrientation(wide ? LinearLayout.HORIZONTAL : LinearLayout.VERTICAL);
        int all = ViewGroup.LayoutParams.MATCH_PARENT;
        float panelWidth = Math.min(280 * Math.max(now.fontScale, 1), 0.5f * now.screenWidthDp);
        findViewById(R.id.stage).setLayoutParams(wide
                ? new LinearLayout.LayoutParams(0, all, 1)
                : new LinearLayout.LayoutParams(all, 0, 1));
        PanelScroll panel = findViewById(R.id.panel_scroll);
        panel.setMost(wide ? 1 : 0.6f);
        panel.setLayoutParams(wide
                ? new LinearLayout.LayoutParams(
                        Math.round(panelWidth * getResources().getDisplayMetrics().density), all)
                : new LinearLayout.LayoutParams(all, ViewGroup.LayoutParams.WRAP_CONTENT));
    }

    /** Half a turn changes no configuration, only the display. */
    @Override
    public void onDisplayChanged(int id) {
        camera.turn();
    }

    @Override
    public void onDisplayAdded(int id) {}

    @Override
    public void onDisplayRemoved(int id) {}

    private DisplayManager displays() {
        return (DisplayManager) getSystemService(Context.DISPLAY_SERVICE);
    }

    /** Says the most important of what is the matter, or nothing. */
    private void tell() {
        if (pictures.isOpening()) {
            int percent = pictures.percent();
            notice.progress(percent < 0 ? getString(R.string.opening)
                    : getString(R.string.opening_percent, percent),
                    percent, R.string.cancel, pictures::close);
        } else if (pictureTrouble != null) {
            notice.say(pictureTrouble, R.string.dismiss, () -> {
                pictureTrouble = null;
                tell();
            });
        } else if (modelTrouble != null) {
            notice.say(modelTrouble);
        } else if (pictures.shown() != null) {
            notice.hush();
        } else if (permission.refused()) {
            boolean ask = permission.mayAsk();
            notice.say(getString(R.string.camera_denied),
                    ask ? R.string.allow_camera : R.string.open_settings,
                    ask ? permission::ask : permission::openSettings);
        } else if (cameraTrouble != null) {
            notice.say(cameraTrouble);
        } else {
            notice.hush();
        }
    }

    // === Model and threshold ===

    private List<String> modelNames() {
        try {
            return new ModelAssets(getAssets()).names();
        } catch (IOException error) {
            return Collections.emptyList();
        }
    }

    private void loadModel() {
        modelTrouble = null;
        overlay.clear();
        controls.showTimes(getString(R.string.loading, controls.model()));
        analyzer.load(controls.model(), controls.accelerator());
        lookAtPicture();
    }

    @Override
    public void onModelChosen() {
        controls.remark(null);
        if (analyzer != null) {
            loadModel();
            tell();
        }
    }

    @Override
    public void onThresholdChosen(float threshold) {
        overlay.setThreshold(threshold);
    }

    // === Pictures ===

    @Override
    public void onPickPicture() {
        if (pictures.shown() != null) {
            pictures.close();
            return;
        }
        Intent intent = new Intent(Intent.ACTION_GET_CONTENT)
                .setType("image/*")
                .addCategory(Intent.CATEGORY_OPENABLE);
        startActivityForResult(Intent.createChooser(intent, null), PICK_PICTURE);
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        if (request == PICK_PICTURE && result == RESULT_OK && data != null
                && data.getData() != null) {
            pictureTrouble = null;
            pictures.open(data.getData());
        }
    }

    @Override
    public void onPictureChanged() {
        PickedPicture picture = pictures.shown();
        if (overlay.setPicture(picture == null ? null : picture.bitmap)) {
            controls.setPictureShown(picture != null);
            if (picture != null) {
                camera.stop();
                lookAtPicture();
            } else {
                startCamera();
            }
        }
        tell();
    }

    @Override
    public void onPictureFailed(String reason) {
        pictureTrouble = getString(R.string.picture_failed, reason);
        startCamera(); // it may have waited for a picture from before
        tell();
    }

    private void lookAtPicture() {
        PickedPicture picture = pictures.shown();
        if (picture != null && analyzer != null) {
            analyzer.look(picture);
        }
    }

    // === What comes from other threads ===

    /** Frames of one camera for one analyzer; both end with the next pause. */
    private final class Frames implements Camera.Listener {
        private final Analyzer analyzer;

        Frames(Analyzer analyzer) {
            this.analyzer = analyzer;
        }

        @Override
        public void onFrame(Image image) {
            analyzer.offer(image, camera.rotation());
        }

        @Override
        public void onLost() {
            say(getString(R.string.camera_lost), true);
        }

        @Override
        public void onFailed(String reason) {
            say(getString(R.string.camera_failed, reason), false);
        }

        private void say(String trouble, boolean lost) {
            screen.post(() -> { // never at once: the camera may be about to be opened
                if (this == frames) {
                    cameraTrouble = trouble;
                    overlay.clear();
                    if (lost) {
                        camera.lose();
                    }
                    tell();
                }
            });
        }
    }

    /** Results of one analyzer; what comes after it was closed is forgotten. */
    private final class Results implements Analyzer.Listener {
        @Override
        public void onModel(ModelFile model, Accelerator runsOn, String refusal) {
            String info = getString(R.string.model_info, model.name, model.layout.inputSize,
                    model.layout.quantization);
            String about = model.author.isEmpty() && model.license.isEmpty()
                    ? info : getString(R.string.model_by, info, model.author, model.license);
            show(() -> {
                if (refusal != null) {
                    remarkRefusal(refusal, runsOn);
                }
                controls.showModel(about);
                controls.showTimes(getString(runsOn.title));
            });
        }

        @Override
        public void onDetections(ModelFile model, Detections found, boolean live) {
            if (live == (pictures.shown() == null)) { // a frame may come late
                overlay.show(found, model.layout.classNames, live);
            }
        }

        @Override
        public void onTimes(String runsOn, float prepare, float run, float framesPerSecond) {
            String times = framesPerSecond > 0
                    ? getString(R.string.times, runsOn, prepare, run, framesPerSecond)
                    : getString(R.string.times_picture, runsOn, prepare, run);
            show(() -> controls.showTimes(times));
        }

        @Override
        public void onModelFailed(String name, Exception reason) {
            trouble(getString(R.string.model_failed, name, FirstThatWorks.words(reason)));
        }

        /** A GPU may fail at any time; the CPU takes over. */
        @Override
        public void onNetworkFailed(RuntimeException reason) {
            String words = FirstThatWorks.words(reason);
            show(() -> {
                if (controls.accelerator() == Accelerator.GPU) {
                    remarkRefusal(words, Accelerator.FALLBACK);
                    loadModel();
                } else {
                    trouble(getString(R.string.network_failed, words));
                }
            });
        }

        private void remarkRefusal(String reason, Accelerator runsOn) {
            controls.remark(getString(R.string.refused,
                    getString(controls.accelerator().title), reason, getString(runsOn.title)));
            controls.setAccelerator(runsOn);
        }

        private void trouble(String words) {
            show(() -> {
                modelTrouble = words;
                controls.showTimes("");
                tell();
            });
        }

        private void show(Runnable change) {
            screen.post(() -> {
                if (this == results) {
                    change.run();
                }
            });
        }
    }
}
